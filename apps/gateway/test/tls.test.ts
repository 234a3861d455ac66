import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type RunningGateway, startGateway } from './running-gateway.js';

let directory: string;
let gateway: RunningGateway;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'payflow-tls-'));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  execFileSync(
    'openssl',
    // prettier-ignore
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost',
     '-days', '1', '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  );
  gateway = await startGateway({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
});

afterAll(async () => {
  await gateway.stop();
  rmSync(directory, { recursive: true });
});

const handshake = async (options: ConnectionOptions): Promise<TLSSocket> => {
  const socket = connect({ host: '127.0.0.1', port: gateway.port, rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
};

describe('with a certificate', () => {
  it('the gateway speaks TLS, and tells browsers to come back with it', async () => {
    const socket = await handshake({});
    expect(['TLSv1.2', 'TLSv1.3']).toContain(socket.getProtocol());
    socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(data.toString().toLowerCase()).toContain('strict-transport-security: max-age=');
    socket.destroy();
  });

  it('it speaks TLS 1.2, and nothing older', async () => {
    const socket = await handshake({ maxVersion: 'TLSv1.2' });
    expect(socket.getProtocol()).toBe('TLSv1.2');
    socket.destroy();
    // At this security level OpenSSL's client would offer the old versions: it is the server that refuses.
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(handshake(old)).rejects.toThrow(/protocol version|alert/i);
  });

  it('it does not start with half of the two files', async () => {
    await expect(startGateway({ TLS_CERT_FILE: join(directory, 'cert.pem') })).rejects.toThrow(/TLS_KEY_FILE/);
    await expect(
      startGateway({ TLS_CERT_FILE: join(directory, 'none.pem'), TLS_KEY_FILE: join(directory, 'key.pem') }),
    ).rejects.toThrow(/cannot be read/);
  });
});
