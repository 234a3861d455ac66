import { randomUUID } from 'node:crypto';

import { Database } from '@payflow/postgres';
import { createTestDatabase, merchantPrincipal, type TestDatabase } from '@payflow/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import {
  findStandings,
  Idempotency,
  IDEMPOTENCY_DDL,
  type RequestIdentity,
  storeAnswers,
  storedAnswer,
} from '../src/index.js';

class CreateKeys1760000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(IDEMPOTENCY_DDL);
  }
  async down(): Promise<void> {
    await Promise.reject(new Error('forward only'));
  }
}

let testDatabase: TestDatabase;
let database: Database;
const idempotency = new Idempotency({ retentionSeconds: 3_600, gatewayUrl: 'http://gateway' });
const merchant = merchantPrincipal('mer_1');

beforeAll(async () => {
  testDatabase = await createTestDatabase({ service: 'service-tests', migrations: [CreateKeys1760000000001] });
  database = await Database.connect({ url: testDatabase.runtimeUrl, applicationName: 'set-test', poolSizeMax: 4 });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

let key: string;
beforeEach(() => {
  key = randomUUID();
});

const identityOf = (body: unknown = { amount: 1 }, idempotencyKey = key): RequestIdentity =>
  idempotency.identify({
    meta: {
      requestId: 'req_1',
      route: 'POST /ledger/transactions',
      path: '/ledger/transactions',
      query: {},
      idempotencyKey,
    },
    principal: merchant,
    body,
  });
const keyless = (): RequestIdentity => ({ ...identityOf(), key: undefined });

const answer = storedAnswer({ status: 201, body: { posted: ['ü', 1] }, headers: { etag: '"1"' } });
const find = async (...identities: readonly RequestIdentity[]) =>
  await database.transaction((tx) => findStandings(tx, identities));
const store = async (identity: RequestIdentity, fence = 1n) => {
  await database.transaction((tx) => storeAnswers(tx, [{ identity, fence, resourceId: 'ltx_1', answer }], idempotency));
};
const change = async (assignments: string) => {
  await database.execute(`UPDATE idempotency_keys SET ${assignments} WHERE key = $1`, [key]);
};

describe('keys of many requests in one transaction', () => {
  it('are open until their answer is stored, and then answer it to the byte', async () => {
    const identity = identityOf();
    expect(await find(identity)).toEqual([{ kind: 'open', fence: 1n }]);
    await store(identity);
    expect(await find(identity)).toEqual([{ kind: 'answered', answer: { ...answer, replayed: true } }]);
  });

  it('stand in the order in which they were asked for, those without a key among them', async () => {
    await store(identityOf());
    const kinds = (await find(keyless(), identityOf({}, randomUUID()), identityOf(), keyless(), identityOf({}))).map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(['open', 'open', 'answered', 'open', 'refused']);
  });

  it('are refused for another request', async () => {
    await store(identityOf());
    const [standing] = await find(identityOf({ amount: 2 }));
    expect(standing).toMatchObject({ kind: 'refused', problem: { code: 'idempotency_key_reused' } });
  });

  it('are new again past their retention, with a fence of their own', async () => {
    await store(identityOf());
    await change(`expires_at = now() - interval '1 second'`);
    const identity = identityOf({ amount: 2 });
    expect(await find(identity)).toEqual([{ kind: 'open', fence: 2n }]);
    await store(identity, 2n);
    expect(await find(identity)).toMatchObject([{ kind: 'answered' }]);
  });

  it('are stored though the clean-up took the expired row away in between', async () => {
    const identity = identityOf();
    await store(identity, 7n);
    expect(await find(identity)).toMatchObject([{ kind: 'answered' }]);
  });

  it('stay with an owner who claimed them one by one, until his lease is over', async () => {
    const identity = identityOf();
    const options = { resourceId: 'ltx_0', leaseMs: 60_000, moneyMoving: false };
    await database.transaction((tx) => idempotency.claim(tx, identity, options));
    expect(await find(identity)).toMatchObject([{ kind: 'refused', problem: { code: 'idempotency_key_in_use' } }]);
    await change(`lease_until = now() - interval '1 second'`);
    expect(await find(identity)).toEqual([{ kind: 'open', fence: 2n }]);
  });

  it('are gone with the transaction that is rolled back', async () => {
    const identity = identityOf();
    await expect(
      database.transaction(async (tx) => {
        await storeAnswers(tx, [{ identity, fence: 1n, resourceId: 'ltx_1', answer }], idempotency);
        throw new Error('the effect failed');
      }),
    ).rejects.toThrow('the effect failed');
    expect(await find(identity)).toEqual([{ kind: 'open', fence: 1n }]);
  });

  it('overwrite no answer: a fence that another has passed stops the whole transaction', async () => {
    await store(identityOf());
    await expect(store(identityOf())).rejects.toThrow('1 keys were open, 0 answers stored');
  });

  it('leave nothing behind for requests without one', async () => {
    const before = await database.query('SELECT count(*) FROM idempotency_keys');
    await store(keyless());
    expect(await database.query('SELECT count(*) FROM idempotency_keys')).toEqual(before);
  });
});
