import { mkdirSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SERVICE_PORTS } from '@payflow/service';
import { describe, expect, it } from '@jest/globals';

import { stackPaths } from './paths.ts';
import { completed, loadSecrets } from './secrets.ts';
import { environmentOf, type ServiceName, SERVICES, type Surroundings } from './services.ts';
import { settingsFrom } from './settings.ts';
import { demoFileOf, type StackState } from './state.ts';
import { statusTable } from './status.ts';
import { backoffMs } from './unit.ts';

const secrets = completed(
  undefined,
  SERVICES.map((service) => service.name),
);
const surroundings: Surroundings = {
  urls: Object.fromEntries(
    SERVICES.map((service) => [service.name, `http://127.0.0.1:${String(service.defaultPort)}`]),
  ) as Record<ServiceName, string>,
  kafkaBrokers: '127.0.0.1:9092',
  secrets,
};
const database = { ownerUrl: 'postgres://owner@h/d', runtimeUrl: 'postgres://runtime@h/d' };
const paths = () => stackPaths({ PAYFLOW_HOME: mkdtempSync(join(tmpdir(), 'payflow-stack-')) });

describe('the table of services', () => {
  it('has the ports that the services themselves fall back to', () => {
    expect(Object.fromEntries(SERVICES.map((service) => [service.name, service.defaultPort]))).toEqual(SERVICE_PORTS);
  });

  it.each(SERVICES)('gives $name its own secret and nobody else’s', (service) => {
    const environment = environmentOf(service, surroundings, service.hasDatabase ? database : undefined);
    expect(environment).toMatchObject({
      PORT: String(service.defaultPort),
      SERVICE_CLIENT_SECRET: secrets.serviceClients[service.name],
      ISSUER: surroundings.urls.gateway,
    });
    expect(environment['DATABASE_URL']).toBe(service.hasDatabase ? database.runtimeUrl : undefined);
    const text = JSON.stringify(environment);
    // Only auth knows them all, because it checks them; only the vault knows the vault's keys.
    for (const [name, secret] of Object.entries(secrets.serviceClients)) {
      if (name !== service.name && service.name !== 'auth') expect(text).not.toContain(secret);
    }
    for (const vaultKey of [secrets.vaultKek, secrets.vaultFingerprintKey]) {
      expect(text.includes(vaultKey)).toBe(service.name === 'tokenization');
    }
    for (const signingSecret of Object.values(secrets.acquirerWebhooks)) {
      expect(text.includes(signingSecret)).toBe(['payment', 'acquirer-sim'].includes(service.name));
    }
  });

  it('has two acquirers, and authorizations go to the first', () => {
    const settingsOf = (name: ServiceName) =>
      SERVICES.find((service) => service.name === name)?.settings(surroundings) ?? {};
    const { ACQUIRERS: addresses = '' } = settingsOf('payment');
    expect(Object.entries(JSON.parse(addresses) as object)).toEqual([
      ['sim', 'http://127.0.0.1:8085/acquirers/sim'],
      ['sim2', 'http://127.0.0.1:8085/acquirers/sim2'],
    ]);
    expect(settingsOf('tokenization')['ACQUIRERS']).toBe(addresses);
  });
});

describe('settings', () => {
  it('are the fixed ports unless a variable says otherwise; an empty one says nothing', () => {
    expect(settingsFrom({ AUTH_PORT: '9081', PAYMENT_PORT: '' }).ports).toEqual({ ...SERVICE_PORTS, auth: 9081 });
  });

  it.each([
    [{ PORT: '80a' }, /PORT is "80a", which is not a port/],
    [{ PORT: '70000' }, /not a port/],
    [{ PORT: '8081' }, /Port 8081 is wanted by gateway and by auth. Set AUTH_PORT/],
    [{ DATABASE_URL: 'localhost:5432' }, /DATABASE_URL is not an address/],
    [{ KAFKA_BROKERS: 'localhost' }, /KAFKA_BROKERS is not a list of host:port/],
  ])('refuse %j with a sentence', (environment, sentence) => {
    expect(() => settingsFrom(environment)).toThrow(sentence);
  });

  it('may all ask for any free port', () => {
    const any = Object.fromEntries(SERVICES.map((service) => [service.portVariable, '0']));
    expect(Object.values(settingsFrom(any).ports)).toEqual(SERVICES.map(() => 0));
  });
});

describe('secrets', () => {
  it('are made once, for their owner only', () => {
    const place = paths();
    const made = loadSecrets(place);
    expect(statSync(place.secrets).mode & 0o777).toBe(0o600);
    expect(loadSecrets(place)).toEqual(made);
  });

  it('of a service that is added later join those that exist', () => {
    const before = completed(undefined, ['auth']);
    const after = completed(before, ['auth', 'ledger']);
    expect(after.databases['auth']).toEqual(before.databases['auth']);
    expect(after.vaultKek).toBe(before.vaultKek);
    expect(after.acquirerWebhooks).toEqual(before.acquirerWebhooks);
    expect(after.databases['ledger']?.owner).toHaveLength(32);
  });

  it('are never made anew for data that is encrypted under lost ones', () => {
    const place = paths();
    mkdirSync(place.postgres);
    expect(() => loadSecrets(place)).toThrow(/Put the file back/);
  });
});

describe('demo.json', () => {
  it('holds for scripts what is printed for people', () => {
    const state: StackState = {
      services: { payment: { pid: 7, startedAt: 'x', port: 8082, logFile: 'l', fingerprint: 'f', restarts: 0 } },
      kafka: { address: '127.0.0.1:9092', process: { pid: 8, startedAt: 'y' }, restarts: 0 },
    };
    const addresses = { gateway: 'http://127.0.0.1:8080', kafka: '127.0.0.1:9092', postgres: 'postgres://…' };
    const demo = demoFileOf(paths(), addresses, secrets.demo, state);
    expect(demo).toMatchObject({
      ...addresses,
      merchant: {
        merchantId: expect.stringMatching(/^mer_/),
        clientId: expect.any(String),
        clientSecret: expect.any(String),
        publishableKey: expect.stringMatching(/^pk_test_/),
      },
      ledgerClient: { clientId: expect.stringMatching(/^cli_/), clientSecret: expect.any(String) },
      pids: { payment: 7, kafka: 8 },
      services: { payment: 'http://127.0.0.1:8082' },
    });
    expect(Object.keys(demo.customer)).toEqual(['email', 'password']);
  });
});

describe('the supervisor', () => {
  it('waits longer with each failure, up to a limit', () => {
    expect([1, 2, 3, 10, 100].map(backoffMs)).toEqual([500, 1_000, 2_000, 15_000, 15_000]);
  });
});

describe('status', () => {
  it('says in words when nothing runs', () => {
    expect(statusTable({ home: '', running: false, processes: [] })).toMatch(/not running/);
  });

  it('shows a server of the user’s own as his', () => {
    const table = statusTable({
      home: '',
      running: true,
      processes: [{ name: 'postgres', port: 5432, pid: null, health: 'ready', restarts: 0, log: null }],
    });
    expect(table).toMatch(/postgres +5432 +yours +ready/);
  });
});

describe('package.json', () => {
  it('has the scripts that the README promises', () => {
    const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(Object.keys(scripts)).toEqual(
      expect.arrayContaining(['start', 'stop', 'status', 'check', 'test', 'generate']),
    );
  });
});
