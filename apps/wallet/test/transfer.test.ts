import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { planOf, userPrincipal } from '@payflow/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { listHistory } from '../src/store/wallet-transactions.js';
import { type Answered, WalletsUnderTest } from './wallets-under-test.js';

let wallets: WalletsUnderTest;
const ADMIN = userPrincipal(newId('usr'), 'admin');

beforeAll(async () => {
  wallets = await WalletsUnderTest.start({ instances: 2 });
});
afterAll(async () => {
  await wallets.stop();
});

interface Pair {
  readonly alice: Principal;
  readonly bob: Principal;
  readonly from: string;
  readonly to: string;
}

/** Two people, the first of whom has so much. */
const pair = async (amount: number, currency = 'USD'): Promise<Pair> => {
  const [alice, bob] = await Promise.all([wallets.person(), wallets.person()]);
  const [from, to] = await Promise.all([wallets.wallet(alice, amount, currency), wallets.wallet(bob, 0, currency)]);
  return { alice, bob, from, to };
};

const countOf = (answers: readonly Answered[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;

const transactionsOf = async (walletId: string): Promise<number> => {
  const rows = await wallets.database.query('SELECT FROM wallet_transactions WHERE from_wallet_id = $1', [walletId]);
  return rows.length;
};

describe('POST /wallets/transfer', () => {
  it('moves money between two wallets, and both sides see it at once', async () => {
    const { alice, bob, from, to } = await pair(10_000);
    const { status, body } = await wallets.transfer(alice, from, to, 2_500, { body: { note: 'lunch' } });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ success: true, status: 'SUCCESS', amount: 2_500, balanceAfter: 7_500 }),
    ]);
    expect((await wallets.get(`/wallets/${to}/balance`, bob)).body).toMatchObject({
      balance: '25.00',
      total: 2_500,
      available: 2_500,
      held: 0,
    });
    const sent = (await wallets.get('/transactions', alice)).body['data'];
    const received = (await wallets.get('/transactions', bob)).body['data'];
    expect(sent).toEqual([expect.objectContaining({ debit: 2_500, credit: null, balanceAfter: 7_500, note: 'lunch' })]);
    expect(received).toEqual([expect.objectContaining({ debit: null, credit: 2_500, balanceAfter: 2_500 })]);
  });

  it('takes forms, the query and JSON strings as decimal numbers of major units', async () => {
    const { alice, from, to } = await pair(20_000);
    const form = { fromWallet: from, toWallet: to, amount: '50.0' };
    const query = new URLSearchParams({ ...form, amount: '50' }).toString();
    const answers = [
      await wallets.post('/wallets/transfer', { as: alice, form, key: newId('req') }),
      await wallets.post(`/wallets/transfer?${query}`, { as: alice, key: newId('req') }),
      await wallets.transfer(alice, from, to, '50.00'),
      await wallets.transfer(alice, from, to, 5_000),
    ];
    expect(answers.map(({ status, body }) => [status, body['amount'] as unknown])).toEqual(Array(4).fill([200, 5_000]));
    expect(await wallets.available(to)).toBe(20_000);
  });

  it('moves yen, which have no decimals, and rupees as the documents have them (R-208)', async () => {
    const yen = await pair(5_000, 'JPY');
    expect((await wallets.transfer(yen.alice, yen.from, yen.to, '1200')).body).toMatchObject({ amount: 1_200 });
    expect((await wallets.transfer(yen.alice, yen.from, yen.to, '10.5')).status).toBe(400);
    const { alice, from, to } = await pair(80_000, 'INR');
    expect((await wallets.transfer(alice, from, to, 50_000)).status).toBe(200);
    expect([await wallets.available(from), await wallets.available(to)]).toEqual([30_000, 50_000]);
  });

  it('refuses what the wallet does not hold, keeps it in the history as FAILED, and moves nothing', async () => {
    const { alice, bob, from, to } = await pair(100);
    const { status, body } = await wallets.transfer(alice, from, to, 101);
    expect([status, body['code']]).toEqual([422, 'insufficient_funds']);
    expect((await wallets.get(`/transactions/${String(body['transactionId'])}`, alice)).body).toMatchObject({
      status: 'FAILED',
      reason: 'insufficient_funds',
      debit: null,
    });
    expect((await wallets.get('/transactions', bob)).body['data']).toEqual([]);
    expect([await wallets.available(from), await wallets.available(to)]).toEqual([100, 0]);
  });

  describe('refuses, leaves no row and does not use the key up', () => {
    it.each<[string, (p: Pair) => Record<string, unknown>, number, string]>([
      ['an unknown wallet that pays', () => ({ fromWallet: newId('wal') }), 404, 'wallet_not_found'],
      [
        "somebody else's wallet that pays",
        ({ to, from }) => ({ fromWallet: to, toWallet: from }),
        404,
        'wallet_not_found',
      ],
      ['an unknown wallet that is paid', () => ({ toWallet: newId('wal') }), 404, 'wallet_not_found'],
      ['an id that is none', () => ({ toWallet: 'wal_nobody' }), 404, 'wallet_not_found'],
      ['zero', () => ({ amount: 0 }), 400, 'validation_failed'],
      ['zero in text', () => ({ amount: '0.00' }), 400, 'validation_failed'],
      ['less than zero', () => ({ amount: -5 }), 400, 'validation_failed'],
      ['a fraction of a cent', () => ({ amount: 10.5 }), 400, 'validation_failed'],
      ['too many decimals', () => ({ amount: '50.005' }), 400, 'validation_failed'],
      ['an exponent', () => ({ amount: '1e3' }), 400, 'validation_failed'],
      ['more than can be', () => ({ amount: 1e20 }), 400, 'validation_failed'],
      ['no number', () => ({ amount: 'much' }), 400, 'validation_failed'],
      ['a currency that is none', () => ({ currency: 'XYZ' }), 400, 'validation_failed'],
      ['a field it does not know', () => ({ toWalet: 'x' }), 400, 'validation_failed'],
      ['control characters in the note', () => ({ note: 'a\u0007b' }), 400, 'validation_failed'],
      ['a card number in the note', () => ({ note: '4242424242424242' }), 400, 'validation_failed'],
    ])('%s', async (_name, change, status, code) => {
      const parties = await pair(1_000);
      const { alice, from, to } = parties;
      const key = newId('req');
      const refused = await wallets.transfer(alice, from, to, 100, { key, body: change(parties) });
      expect([refused.status, refused.body['code']]).toEqual([status, code]);
      expect(await transactionsOf(from)).toBe(0);
      expect((await wallets.transfer(alice, from, to, 100, { key })).status).toBe(200);
    });
  });

  it('refuses itself, another currency and a field that stands in body and query', async () => {
    const { alice, from } = await pair(1_000);
    const euros = await wallets.wallet(alice, 0, 'EUR');
    expect((await wallets.transfer(alice, from, from, 100)).body['code']).toBe('transfer_to_itself');
    expect((await wallets.transfer(alice, from, euros, 100)).body).toMatchObject({
      status: 422,
      code: 'currency_mismatch',
    });
    const named = await wallets.transfer(alice, from, euros, 100, { body: { currency: 'EUR' } });
    expect(named.body['code']).toBe('currency_mismatch');
    const twice = await wallets.post('/wallets/transfer?amount=5', {
      as: alice,
      form: { fromWallet: from, toWallet: euros, amount: '5' },
    });
    expect(twice.status).toBe(400);
    expect(await wallets.available(from)).toBe(1_000);
  });

  it('moves nothing out of or into a frozen wallet', async () => {
    const { alice, bob, from, to } = await pair(1_000);
    const reason = { as: ADMIN, body: { reason: 'asked by the court' } };
    expect((await wallets.post(`/wallets/${from}/freeze`, { as: alice, body: { reason: 'x' } })).status).toBe(403);
    expect((await wallets.post(`/wallets/${from}/freeze`, reason)).body).toMatchObject({ status: 'FROZEN' });
    expect((await wallets.transfer(alice, from, to, 100)).body['code']).toBe('wallet_frozen');
    expect((await wallets.transfer(bob, to, from, 100)).body['code']).toBe('wallet_unavailable');
    expect((await wallets.post(`/wallets/${from}/unfreeze`, { ...reason, key: newId('req') })).body).toMatchObject({
      status: 'ACTIVE',
    });
    expect((await wallets.transfer(alice, from, to, 100)).status).toBe(200);
  });

  it('lets nobody move money who is blocked or not verified, and pays nobody who is blocked', async () => {
    const { alice, from, to } = await pair(1_000);
    const unverified = await wallets.person({ verified: false, email: 'new@example.com' });
    const blocked = await wallets.person({ status: 'BLOCKED' });
    const theirs = await wallets.wallet(unverified, 500);
    const his = await wallets.wallet(blocked, 500);
    expect((await wallets.transfer(unverified, theirs, to, 100)).body).toMatchObject({
      status: 403,
      code: 'verification_required',
    });
    expect((await wallets.transfer(blocked, his, to, 100)).body).toMatchObject({
      status: 403,
      code: 'account_blocked',
    });
    expect((await wallets.transfer(alice, from, his, 100)).body['code']).toBe('wallet_unavailable');
    expect((await wallets.transfer(alice, from, theirs, 100)).status).toBe(200);
  });

  it('holds the limits of a transfer and of a day, what failed not counted', async () => {
    const { alice, from, to } = await pair(1_000);
    const limits = { as: ADMIN, body: { transferMax: 400, dayMax: 700 } };
    expect((await wallets.ask('PUT', `/wallets/${from}/limits`, limits)).body['limits']).toMatchObject({
      dayRemaining: 700,
    });
    expect((await wallets.transfer(alice, from, to, 401)).body).toMatchObject({
      code: 'wallet_limit_exceeded',
      limit: 400,
    });
    const answers = await Promise.all([1, 2, 3].map((n) => wallets.transfer(alice, from, to, 300, { at: n % 2 })));
    expect([countOf(answers, 200), countOf(answers, 422)]).toEqual([2, 1]);
    expect((await wallets.transfer(alice, from, to, 101)).body).toMatchObject({ limit: 700, remaining: 100 });
    await wallets.ask('PUT', `/wallets/${from}/limits`, {
      ...limits,
      body: { transferMax: null, dayMax: null },
      key: newId('req'),
    });
    expect((await wallets.transfer(alice, from, to, 5_000)).body['code']).toBe('insufficient_funds');
    const { limits: left } = (await wallets.get(`/wallets/${from}`, alice)).body as { limits: Record<string, number> };
    expect(left['dayMax']! - left['dayRemaining']!).toBe(600);
  });

  it('answers the same request with the same key as the first time, also in another instance', async () => {
    const { alice, from, to } = await pair(1_000);
    const key = newId('req');
    const first = await wallets.transfer(alice, from, to, 100, { key });
    const second = await wallets.transfer(alice, from, to, 100, { key, at: 1 });
    expect([second.status, second.text]).toEqual([200, first.text]);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect((await wallets.transfer(alice, from, to, 101, { key })).body['code']).toBe('idempotency_key_reused');
    const broke = await wallets.transfer(alice, from, to, 5_000, { key: `${key}-2` });
    expect((await wallets.transfer(alice, from, to, 5_000, { key: `${key}-2`, at: 1 })).text).toBe(broke.text);
    expect(await wallets.available(to)).toBe(100);
  });

  it('has one effect for twenty requests with one key over two instances', async () => {
    const { alice, from, to } = await pair(1_000);
    const key = newId('req');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => wallets.transfer(alice, from, to, 100, { key, at: n % 2 })),
    );
    expect(answers.every(({ status, body }) => status === 200 || body['code'] === 'idempotency_key_in_use')).toBe(true);
    expect(await wallets.available(to)).toBe(100);
    expect(await transactionsOf(from)).toBe(1);
  });

  it('takes the same request without a key within a minute for an accident, and names the first', async () => {
    const { alice, from, to } = await pair(1_000);
    const body = { fromWallet: from, toWallet: to, amount: 100 };
    const first = await wallets.post('/wallets/transfer', { as: alice, body });
    const second = await wallets.post('/wallets/transfer', { as: alice, body, at: 1 });
    expect(second.body).toMatchObject({
      status: 409,
      code: 'duplicate_request',
      resource: first.body['transactionId'],
    });
    const tooMuch = { ...body, amount: 5_000 };
    expect((await wallets.post('/wallets/transfer', { as: alice, body: tooMuch })).status).toBe(422);
    await wallets.fund(from, 5_000);
    expect((await wallets.post('/wallets/transfer', { as: alice, body: tooMuch })).status).toBe(200);
  });

  it('shows a transfer to its two sides and to staff, and to nobody else', async () => {
    const { alice, bob, from, to } = await pair(1_000);
    const id = String((await wallets.transfer(alice, from, to, 100)).body['transactionId']);
    const stranger = await wallets.person();
    const statuses = await Promise.all(
      [alice, bob, ADMIN, stranger].map(async (who) => (await wallets.get(`/transactions/${id}`, who)).status),
    );
    expect(statuses).toEqual([200, 200, 200, 404]);
    for (const path of [
      `/wallets/${from}`,
      `/wallets/${from}/balance`,
      `/wallets/${from}/holds`,
      `/transactions?walletId=${from}`,
    ])
      expect((await wallets.get(path, stranger)).status).toBe(404);
  });
});

describe('The history of a wallet', () => {
  it('is found by the index of either side, in the order of the page', async () => {
    const filter = { walletIds: ['wal_1'], type: undefined, status: undefined, from: undefined, to: undefined };
    const plan = await planOf(wallets.database, async (sql) => listHistory(sql, filter, undefined, 50));
    for (const index of ['wallet_transactions_from', 'wallet_transactions_to'])
      expect(plan).toContain(`Index Scan Backward using ${index}`);
    expect(plan).not.toContain('Seq Scan on wallet_transactions');
  });
});

describe('A path with an id that nobody was given', () => {
  it.each(['5b0c9b6e-1f0a-4c57-9f2e-0d8f6f3a7c11', 'nonsense', 'wal_', '%20', newId('mer')])(
    'answers 404 for %s: what cannot be an id names nothing',
    async (id) => {
      const alice = await wallets.person();
      for (const [path, code] of [
        [`/wallets/${id}`, 'wallet_not_found'],
        [`/wallets/${id}/balance`, 'wallet_not_found'],
        [`/wallets/${id}/holds`, 'wallet_not_found'],
        [`/wallets/${id}/statement.csv?from=2026-01-01T00:00:00.000Z&to=2026-01-02T00:00:00.000Z`, 'wallet_not_found'],
        [`/holds/${id}`, 'hold_not_found'],
        [`/transactions/${id}`, 'wallet_transaction_not_found'],
        [`/wallet/approvals/${id}`, 'approval_not_found'],
      ] as const)
        expect(await wallets.get(path, alice)).toMatchObject({ status: 404, body: { code } });
      const key = newId('req');
      for (const [path, body, code] of [
        [`/wallets/${id}/holds`, { amount: 1 }, 'wallet_not_found'],
        [`/holds/${id}/void`, undefined, 'hold_not_found'],
        [`/holds/${id}/confirm`, { toWallet: newId('wal') }, 'hold_not_found'],
        [`/transactions/${id}/cancel`, undefined, 'wallet_transaction_not_found'],
        [`/wallet/approvals/${id}/approve`, undefined, 'approval_not_found'],
      ] as const)
        expect(await wallets.post(path, { as: alice, key, body })).toMatchObject({ status: 404, body: { code } });
      const frozen = await wallets.post(`/wallets/${id}/freeze`, { as: ADMIN, body: { reason: 'x' } });
      expect(frozen).toMatchObject({ status: 404, body: { code: 'wallet_not_found' } });
    },
  );
});

describe('Many transfers at once', () => {
  it('gives exactly 50 winners of 100 that each want 10.00 of 500.00, over two instances (R-035)', async () => {
    const { alice, from, to } = await pair(50_000);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => wallets.transfer(alice, from, to, 1_000, { at: n % 2 })),
    );
    expect([countOf(answers, 200), countOf(answers, 422)]).toEqual([50, 50]);
    expect([await wallets.available(from), await wallets.available(to)]).toEqual([0, 50_000]);
  });

  it('sends money round in rings without a deadlock, and none is lost', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => wallets.person()));
    const ring = await Promise.all(people.map((person) => wallets.wallet(person, 1_000)));
    const hop = async (n: number, step: number): Promise<Answered> =>
      await wallets.transfer(people[n % 6]!, ring[n % 6]!, ring[(n + step) % 6]!, 10, { at: n % 2 });
    const answers = await Promise.all(Array.from({ length: 120 }, (_, n) => hop(n, n % 3 === 0 ? 5 : 1 + (n % 2))));
    expect(countOf(answers, 200)).toBe(120);
    const balances = await Promise.all(ring.map((walletId) => wallets.available(walletId)));
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(6_000);
  });

  it('tells of each that ended in one event, and no other', async () => {
    const { alice, from, to } = await pair(300);
    await Promise.all([1, 2, 3, 4].map(() => wallets.transfer(alice, from, to, 100)));
    const events = await wallets.database.query<{ status: string; count: bigint }>(
      `SELECT envelope::jsonb -> 'payload' ->> 'status' AS status, count(*) FROM outbox
        WHERE envelope::jsonb -> 'payload' ->> 'fromWalletId' = $1 GROUP BY 1 ORDER BY 1`,
      [from],
    );
    expect(events).toEqual([
      { status: 'FAILED', count: 1n },
      { status: 'SUCCESS', count: 3n },
    ]);
  });
});
