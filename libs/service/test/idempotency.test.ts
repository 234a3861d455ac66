import { randomUUID } from 'node:crypto';

import type { Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { createTestDatabase, merchantPrincipal, type TestDatabase } from '@payflow/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import {
  type Answer,
  type Claim,
  type ClaimOutcome,
  Idempotency,
  IDEMPOTENCY_DDL,
  Problem,
  type RequestIdentity,
  type RequestMeta,
  type StoredAnswer,
  storedAnswer,
} from '../src/index.js';
import { deleteExpiredKeys } from '../src/idempotency-cleanup.js';

class CreateTables1760000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(IDEMPOTENCY_DDL);
    await runner.query('CREATE TABLE effects (id bigint GENERATED ALWAYS AS IDENTITY, resource text NOT NULL)');
  }
  async down(): Promise<void> {
    await Promise.reject(new Error('forward only'));
  }
}

let testDatabase: TestDatabase;
let database: Database;
const idempotency = new Idempotency({ retentionSeconds: 3_600, gatewayUrl: 'http://gateway' });

beforeAll(async () => {
  testDatabase = await createTestDatabase({ service: 'service-tests', migrations: [CreateTables1760000000000] });
  database = await Database.connect({
    url: testDatabase.runtimeUrl,
    applicationName: 'idempotency-test',
    poolSizeMax: 10,
  });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const merchant = merchantPrincipal('mer_1');
const other = merchantPrincipal('mer_2');
const route = 'POST /payments/:paymentId/capture';
const options = { resourceId: 'pay_1', leaseMs: 30_000, moneyMoving: true };
const succeeded: Answer = { status: 201, body: { amount: 1 }, headers: { etag: '"1"' } };

let key: string;
beforeEach(async () => {
  key = randomUUID();
  await database.execute('DELETE FROM effects');
});

const identityOf = (
  request: {
    readonly key?: string | undefined;
    readonly principal?: Principal;
    readonly body?: unknown;
    readonly meta?: Partial<RequestMeta>;
  } = {},
): RequestIdentity => {
  const requestKey = 'key' in request ? request.key : key;
  return idempotency.identify({
    meta: {
      requestId: 'req_1',
      route,
      path: '/payments/pay_1/capture',
      query: {},
      ...(requestKey === undefined ? {} : { idempotencyKey: requestKey }),
      ...request.meta,
    },
    principal: request.principal ?? merchant,
    body: request.body ?? { amount: 1 },
  });
};

const claim = (identity: RequestIdentity, claimOptions = options): Promise<ClaimOutcome> =>
  database.transaction((tx) => idempotency.claim(tx, identity, claimOptions));
const complete = (held: Claim, answer: StoredAnswer = storedAnswer(succeeded)): Promise<void> =>
  database.transaction((tx) => idempotency.complete(tx, held, answer));
const claimed = async (identity: RequestIdentity, claimOptions = options): Promise<Claim> => {
  const outcome = await claim(identity, claimOptions);
  if (outcome.kind === 'replay') throw new Error('expected a claim');
  return outcome.claim;
};
const runOnce = (
  identity: RequestIdentity,
  work?: () => Promise<Answer>,
  claimOptions = options,
): Promise<StoredAnswer> =>
  idempotency.runOnce(database, identity, claimOptions, async (tx, resourceId) => {
    await tx.execute('INSERT INTO effects (resource) VALUES ($1)', [resourceId]);
    return work === undefined ? succeeded : await work();
  });
const effects = async (): Promise<number> => (await database.query('SELECT FROM effects')).length;
const codeOf = async (attempt: Promise<unknown>): Promise<unknown> =>
  await attempt.then(
    () => 'no problem',
    (error: unknown) => (error instanceof Problem ? error.code : error),
  );
const age = (seconds: number): Promise<number> =>
  database.execute(
    `UPDATE idempotency_keys SET expires_at = expires_at - make_interval(secs => $1), lease_until = lease_until - make_interval(secs => $1)`,
    [seconds],
  );

describe('a key', () => {
  it('is claimed by one of twenty twins, and the others are told that it is in use', async () => {
    const twins = await Promise.all(
      Array.from({ length: 20 }, () =>
        claim(identityOf()).then(
          ({ kind }) => kind,
          (error: unknown) => (error as Problem).code,
        ),
      ),
    );
    expect(twins.filter((twin) => twin === 'claimed')).toHaveLength(1);
    expect(twins.filter((twin) => twin === 'idempotency_key_in_use')).toHaveLength(19);
  });

  it('has one effect and one answer for twenty twins that repeat until they are answered', async () => {
    const untilAnswered = async (): Promise<StoredAnswer> => {
      for (;;) {
        try {
          return await runOnce(identityOf());
        } catch (error) {
          if (!(error instanceof Problem) || error.code !== 'idempotency_key_in_use') throw error;
        }
      }
    };
    const answers = await Promise.all(Array.from({ length: 20 }, untilAnswered));
    expect(await effects()).toBe(1);
    expect(new Set(answers.map(({ status, bodyText }) => `${status} ${bodyText}`))).toEqual(
      new Set(['201 {"amount":1}']),
    );
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('replays the bytes and headers of its answer', async () => {
    const bodyText = '{"b":1, "a":"ü€𝄞 \\u0000"}';
    await complete(await claimed(identityOf()), {
      status: 200,
      bodyText,
      headers: { location: '/x' },
      replayed: false,
    });
    expect(await claim(identityOf())).toEqual({
      kind: 'replay',
      answer: { status: 200, bodyText, headers: { location: '/x' }, replayed: true },
    });
  });

  it('is the same request however its members are ordered, and another with another body, query or path', async () => {
    await complete(await claimed(identityOf({ body: { a: 1, b: { c: 2, d: 3 } } })));
    expect((await claim(identityOf({ body: { b: { d: 3, c: 2 }, a: 1 } }))).kind).toBe('replay');
    const others = [
      { body: { a: 2 } },
      { meta: { query: { dryRun: 'true' } } },
      { meta: { path: '/payments/pay_2/capture' } },
    ];
    for (const request of others) expect(await codeOf(claim(identityOf(request)))).toBe('idempotency_key_reused');
  });

  it('is refused for another request while the first still runs', async () => {
    await claimed(identityOf());
    expect(await codeOf(claim(identityOf({ body: { amount: 2 } })))).toBe('idempotency_key_reused');
    expect(await codeOf(claim(identityOf()))).toBe('idempotency_key_in_use');
  });

  it('belongs to its principal and route', async () => {
    await complete(await claimed(identityOf()));
    expect((await claim(identityOf({ principal: other }))).kind).toBe('claimed');
    expect((await claim(identityOf({ meta: { route: 'POST /refunds' } }))).kind).toBe('claimed');
  });

  it('knows a repeated inline card by its fingerprint, although it has a new token', async () => {
    const body = (token: string) => ({ amount: 1, paymentMethod: { type: 'card', token } });
    const meta = { cardFingerprint: 'fp_1' };
    await complete(await claimed(identityOf({ body: body('tok_first1'), meta })));
    expect((await claim(identityOf({ body: body('tok_second'), meta }))).kind).toBe('replay');
    const otherCard = identityOf({ body: body('tok_first1'), meta: { cardFingerprint: 'fp_2' } });
    expect(await codeOf(claim(otherCard))).toBe('idempotency_key_reused');
  });

  it('is given back when the transaction of the claim is rolled back', async () => {
    const broken = database.transaction(async (tx) => {
      await idempotency.claim(tx, identityOf(), options);
      throw new Error('rolled back');
    });
    await expect(broken).rejects.toThrow('rolled back');
    expect((await claim(identityOf())).kind).toBe('claimed');
  });

  it('can be released after a failure without effect', async () => {
    const held = await claimed(identityOf());
    await database.transaction((tx) => idempotency.release(tx, held));
    expect((await claim(identityOf())).kind).toBe('claimed');
  });
});

describe('a key whose owner died', () => {
  it('is resumed from its resource with a higher fence, and the old owner can no longer complete it', async () => {
    const first = await claimed(identityOf());
    await age(31);
    const outcome = await claim(identityOf(), { ...options, resourceId: 'pay_2' });
    expect(outcome).toMatchObject({ kind: 'resume', resourceId: 'pay_1', claim: { resourceId: 'pay_1', fence: 2n } });
    expect(await codeOf(complete(first))).toBe('concurrent_update');
    if (outcome.kind !== 'resume') throw new Error('expected to resume');
    await complete(outcome.claim);
    expect(await codeOf(complete(outcome.claim))).toBe('concurrent_update');
    expect((await claim(identityOf())).kind).toBe('replay');
  });

  it('is resumed by one of many', async () => {
    await claimed(identityOf());
    await age(31);
    const kinds = await Promise.all(Array.from({ length: 10 }, () => codeOf(claim(identityOf()))));
    expect(kinds.filter((kind) => kind === 'no problem')).toHaveLength(1);
  });

  it('is not resumed while its owner prolongs the lease', async () => {
    const held = await claimed(identityOf());
    await age(31);
    expect(await database.transaction((tx) => idempotency.renew(tx, held, 30_000))).toBe(true);
    expect(await codeOf(claim(identityOf()))).toBe('idempotency_key_in_use');
  });
});

describe('an expired key', () => {
  it('is new again, also for another request, and the owner from before cannot complete it', async () => {
    const first = await claimed(identityOf());
    await age(3_601);
    const again = await claim(identityOf({ body: { amount: 2 } }), { ...options, resourceId: 'pay_2' });
    expect(again).toMatchObject({ kind: 'claimed', claim: { resourceId: 'pay_2', fence: 2n } });
    expect(await codeOf(complete(first))).toBe('concurrent_update');
  });

  it('is new for one of many', async () => {
    await complete(await claimed(identityOf()));
    await age(3_601);
    const kinds = await Promise.all(Array.from({ length: 10 }, () => codeOf(claim(identityOf()))));
    expect(kinds.filter((kind) => kind === 'no problem')).toHaveLength(1);
  });

  it('is no new one to its owner from before, also after a clean-up', async () => {
    const first = await claimed(identityOf());
    await age(3_601);
    await deleteExpiredKeys(database);
    await claimed(identityOf());
    expect(await codeOf(complete(first))).toBe('concurrent_update');
  });

  it('is deleted by the clean-up, and the others stay', async () => {
    await database.execute('DELETE FROM idempotency_keys');
    await complete(await claimed(identityOf()));
    await age(3_601);
    await claimed(identityOf({ key: randomUUID() }));
    expect(await deleteExpiredKeys(database)).toBe(1);
    expect(await database.query('SELECT FROM idempotency_keys')).toHaveLength(1);
  });
});

describe('a command in one transaction', () => {
  it('stores a refusal by the rules as its answer, and undoes what the work wrote', async () => {
    const refuse = (): Promise<Answer> =>
      Promise.reject(new Problem('refund_exceeds_captured', { extensions: { refundable: 5 } }));
    const first = await runOnce(identityOf(), refuse);
    expect(first).toMatchObject({ status: 409, replayed: false });
    expect(first.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(first.bodyText)).toMatchObject({ code: 'refund_exceeds_captured', refundable: 5 });
    expect(await effects()).toBe(0);
    expect(await runOnce(identityOf())).toEqual({ ...first, replayed: true });
    expect(await effects()).toBe(0);
  });

  it.each([
    ['a lost race', new Problem('concurrent_update')],
    ['an absent dependency', new Problem('dependency_unavailable')],
    ['a bug', new Error('a bug')],
  ])('does not use the key up when it ends in %s', async (_name, error) => {
    await expect(runOnce(identityOf(), () => Promise.reject(error))).rejects.toBe(error);
    expect((await runOnce(identityOf())).replayed).toBe(false);
    expect(await effects()).toBe(1);
  });
});

describe('a request without a key', () => {
  const body = (): unknown => ({ unique: key });

  it('that moves money is refused when it is made again within a minute, and the refusal names the first', async () => {
    await runOnce(identityOf({ key: undefined, body: body() }));
    const again = runOnce(identityOf({ key: undefined, body: body() }), undefined, { ...options, resourceId: 'pay_2' });
    await expect(again).rejects.toMatchObject({ code: 'duplicate_request', extensions: { resource: 'pay_1' } });
    expect(await effects()).toBe(1);
  });

  it('has one effect for twenty twins', async () => {
    const twins = Array.from({ length: 20 }, () => codeOf(runOnce(identityOf({ key: undefined, body: body() }))));
    const codes = await Promise.all(twins);
    expect(codes.filter((code) => code === 'no problem')).toHaveLength(1);
    expect(codes.filter((code) => code === 'duplicate_request')).toHaveLength(19);
    expect(await effects()).toBe(1);
  });

  it('may be made again after a minute, with a key, with another body, or by another principal', async () => {
    await runOnce(identityOf({ key: undefined, body: body() }));
    await runOnce(identityOf({ body: body() }));
    await runOnce(identityOf({ key: undefined, body: { another: key } }));
    await runOnce(identityOf({ key: undefined, body: body(), principal: other }));
    await age(61);
    await runOnce(identityOf({ key: undefined, body: body() }));
    expect(await effects()).toBe(5);
  });

  it('keeps the id of its resource and no answer', async () => {
    await database.execute('DELETE FROM idempotency_keys');
    await runOnce(identityOf({ key: undefined, body: body() }));
    const rows = await database.query<{
      resource_id: string;
      state: string;
      body: string | null;
      status: number | null;
    }>('SELECT resource_id, state, body, status FROM idempotency_keys');
    expect(rows).toEqual([{ resource_id: 'pay_1', state: 'done', body: null, status: null }]);
  });

  it('may be corrected and made again after a refusal', async () => {
    const refused = await runOnce(identityOf({ key: undefined, body: body() }), () =>
      Promise.reject(new Problem('payment_not_capturable')),
    );
    expect(refused.status).toBe(409);
    await runOnce(identityOf({ key: undefined, body: body() }));
    expect(await effects()).toBe(1);
  });

  it('that moves no money is free to be repeated', async () => {
    const harmless = { ...options, moneyMoving: false };
    await runOnce(identityOf({ key: undefined, body: body() }), undefined, harmless);
    await runOnce(identityOf({ key: undefined, body: body() }), undefined, harmless);
    expect(await effects()).toBe(2);
  });
});
