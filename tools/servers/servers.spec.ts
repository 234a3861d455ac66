import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { Failure } from './failure.ts';
import { readJson, requireFreeSpace, writePrivateJson } from './files.ts';
import { javaMajorVersion } from './kafka-jars.ts';
import { freePort, isPortFree, portHolder } from './ports.ts';
import { endProcess, isAlive, openLog, recordOf, signal, startTimeOf } from './process.ts';

const scratch = (): string => mkdtempSync(join(tmpdir(), 'payflow-spec-'));

describe('a process record', () => {
  it('means one process for good: another one with its pid is not it', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const record = recordOf(child.pid ?? 0);
    expect(record).toBeDefined();
    if (record === undefined) return;
    expect(isAlive(record)).toBe(true);
    const stranger = { ...record, startedAt: 'another time' };
    expect(isAlive(stranger)).toBe(false);
    signal(stranger, 'SIGKILL');
    expect(isAlive(record)).toBe(true);
    await endProcess(record, 'SIGTERM', 5_000);
    expect(isAlive(record)).toBe(false);
    expect(startTimeOf(record.pid)).toBeUndefined();
  });

  it('kills what does not end when asked', async () => {
    const child = spawn(
      process.execPath,
      ['-e', 'process.on("SIGTERM", () => {}); console.log(1); setInterval(() => {}, 1000)'],
      {
        detached: true,
      },
    );
    await once(child.stdout, 'data');
    const record = recordOf(child.pid ?? 0);
    if (record === undefined) throw new Error('the child is not there');
    await endProcess(record, 'SIGTERM', 100);
    expect(isAlive(record)).toBe(false);
  });
});

describe('ports', () => {
  it('finds out who holds one, and takes another', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await isPortFree(port)).toBe(false);
    expect(portHolder(port)).toContain(`process ${String(process.pid)}`);
    expect(await freePort(port)).not.toBe(port);
    server.close();
    await once(server, 'close');
    expect(await freePort(port)).toBe(port);
  });
});

describe('files of ours', () => {
  it('are for their owner only', () => {
    const file = join(scratch(), 'deep', 'secrets.json');
    writePrivateJson(file, { password: 'x' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readJson(file)).toEqual({ password: 'x' });
  });

  it('count as missing when they were cut short', () => {
    const file = join(scratch(), 'state.json');
    writeFileSync(file, '{"pid": 1');
    expect(readJson(file)).toBeUndefined();
  });

  it('say how much room is missing before it is needed', () => {
    expect(() => {
      requireFreeSpace(tmpdir(), 1_000_000_000, 'A new database');
    }).toThrow(Failure);
  });

  it('begin a new log when the old one has grown large', () => {
    const file = join(scratch(), 'logs', 'payment.log');
    openLog(file);
    writeFileSync(file, 'x'.repeat(21 * 1024 * 1024));
    openLog(file);
    expect(statSync(file).size).toBe(0);
    expect(readFileSync(`${file}.1`).length).toBe(21 * 1024 * 1024);
  });
});

describe('javaMajorVersion', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ['no such thing', undefined],
  ])('%s', (output, version) => {
    expect(javaMajorVersion(output)).toBe(version);
  });
});
