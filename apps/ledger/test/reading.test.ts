import { merchantPrincipal, planOf, servicePrincipal, userPrincipal } from '@payflow/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type EntryFilter, listEntries } from '../src/store/journal-reads.js';
import { ADMIN, LEDGER_CLIENT, LedgerUnderTest, move, transaction } from './ledger-under-test.js';

const POST = '/ledger/transactions';

let ledger: LedgerUnderTest;
let till: string;

interface Entry {
  readonly entryId: string;
  readonly account: string;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly createdAt: string;
}

const entriesIn = (body: Record<string, unknown>): readonly Entry[] => body['data'] as readonly Entry[];

const post = async (reference: string, from: string, to: string, amount: number, currency = 'USD'): Promise<void> => {
  const { body } = await ledger.post(POST, {
    transactions: [transaction(reference, move(from, to, amount, currency))],
  });
  expect(body['results']).toMatchObject([{ status: 'posted', replayed: false }]);
};

beforeAll(async () => {
  ledger = await LedgerUnderTest.start();
  await ledger.openAccount('shop:world');
  till = await ledger.openAccount('shop:till', { floor: 0 });
  await ledger.openAccount('shop:world', { currency: 'EUR' });
  await ledger.openAccount('shop:till', { currency: 'EUR' });
  for (let index = 1; index <= 25; index += 1) await post(`p-${index}`, 'shop:world', 'shop:till', index);
  await post('eur', 'shop:world', 'shop:till', 1_000, 'EUR');
});
afterAll(async () => {
  await ledger.stop();
});

describe('entries', () => {
  it('come newest first, page by page, each once', async () => {
    const pages: Entry[][] = [];
    let cursor: string | null = null;
    do {
      const { body } = await ledger.get(`/ledger?account=${till}&limit=7${cursor === null ? '' : `&cursor=${cursor}`}`);
      pages.push([...entriesIn(body)]);
      cursor = body['nextCursor'] as string | null;
    } while (cursor !== null);
    expect(pages.map((page) => page.length)).toEqual([7, 7, 7, 4]);
    expect(pages.flat().map(({ amount }) => amount)).toEqual(Array.from({ length: 25 }, (_, index) => 25 - index));
  });

  it.each<[string, Partial<EntryFilter>, string]>([
    ['a payment', { paymentId: 'pay_1' }, 'entries_payment'],
    ['a merchant', { merchantId: 'mer_1', from: new Date() }, 'entries_merchant'],
    ['an account', { accountSeqs: [1n] }, 'entries_account'],
  ])('of %s are found by the index of the page', async (_of, wanted, index) => {
    const plan = await planOf(ledger.database, async (sql) =>
      listEntries(sql, {
        accountSeqs: null,
        paymentId: null,
        merchantId: null,
        type: null,
        from: null,
        to: null,
        before: null,
        limit: 50,
        ...wanted,
      }),
    );
    expect(plan).toMatch(new RegExp(`(using|Index Scan on) ${index}`));
    expect(plan).not.toContain('Seq Scan on entries');
  });

  it('each have the balance after them: the one before plus the change', async () => {
    const { body } = await ledger.get(`/ledger?account=${till}&limit=100`);
    const oldestFirst = entriesIn(body).toReversed();
    oldestFirst.forEach(({ amount, balanceAfter }, index) => {
      expect(balanceAfter).toBe((oldestFirst[index - 1]?.balanceAfter ?? 0) + amount);
    });
    expect(oldestFirst.at(-1)?.balanceAfter).toBe(await ledger.balanceOf(till));
  });

  it('are found by code in every currency, by type, and by time from (included) to (excluded)', async () => {
    const byCode = await ledger.get('/ledger?account=shop:till&limit=100');
    expect(entriesIn(byCode.body)).toHaveLength(26);
    expect(entriesIn((await ledger.get('/ledger?type=RENT')).body)).toEqual([]);
    const all = entriesIn((await ledger.get(`/ledger?account=${till}&limit=100&type=TRANSFER`)).body);
    expect(all).toHaveLength(25);
    const from = all.at(-1)?.createdAt ?? '';
    const to = all[0]?.createdAt ?? '';
    const between = entriesIn((await ledger.get(`/ledger?account=${till}&from=${from}&to=${to}&limit=100`)).body);
    expect(between).toEqual(all.filter(({ createdAt }) => createdAt >= from && createdAt < to));
    expect(between.length).toBeGreaterThan(0);
  });

  it('of an account there is not are none', async () => {
    expect(await ledger.get('/ledger?account=shop:nothing')).toMatchObject({
      status: 200,
      body: { data: [], nextCursor: null },
    });
  });
});

describe('a balance', () => {
  it('stands as it stood at a time, that moment included', async () => {
    const history = entriesIn((await ledger.get(`/ledger?account=${till}&limit=100`)).body);
    for (const { createdAt } of history) {
      // Entries of one millisecond share a time: the newest of them tells.
      const expected = history.find((entry) => entry.createdAt === createdAt)?.balanceAfter;
      expect(await ledger.balanceOf(till, createdAt)).toBe(expected);
    }
    const oldest = Date.parse(history.at(-1)?.createdAt ?? '');
    expect(await ledger.balanceOf(till, new Date(oldest - 1).toISOString())).toBe(0);
    expect(await ledger.balanceOf(till, '2099-01-01T00:00:00Z')).toBe(325);
  });

  it('of an account there is not is 404', async () => {
    const answer = await ledger.get('/ledger/accounts/acc_01kxyz6w3hf8btq2v9m4n7r5sd/balance');
    expect(answer).toMatchObject({ status: 404, body: { code: 'account_not_found' } });
  });
});

describe('accounts', () => {
  it('are listed by prefix and currency, newest first, page by page', async () => {
    const first = await ledger.get('/ledger/accounts?prefix=shop:&limit=3');
    const rest = await ledger.get(`/ledger/accounts?prefix=shop:&limit=3&cursor=${String(first.body['nextCursor'])}`);
    const codes = [first, rest].flatMap(({ body }) =>
      (body['data'] as readonly { code: string; currency: string }[]).map(
        ({ code, currency }) => `${code} ${currency}`,
      ),
    );
    expect(codes).toEqual(['shop:till EUR', 'shop:world EUR', 'shop:till USD', 'shop:world USD']);
    expect(rest.body['nextCursor']).toBeNull();
    expect((await ledger.get('/ledger/accounts?prefix=shop:t&currency=USD')).body['data']).toMatchObject([
      { accountId: till, floor: 0 },
    ]);
  });

  it('know what they are', async () => {
    expect((await ledger.get(`/ledger/accounts/${till}`)).body).toMatchObject({
      accountId: till,
      code: 'shop:till',
      currency: 'USD',
      floor: 0,
      balance: 325,
      entryCount: 25,
    });
  });
});

describe('the trial balance', () => {
  it('sums debits and credits of each currency over every entry', async () => {
    const { body } = await ledger.get('/ledger/trial-balance');
    expect(body['currencies']).toEqual([
      { currency: 'EUR', debits: 1_000, credits: 1_000, balanced: true, accounts: 2 },
      { currency: 'USD', debits: 325, credits: 325, balanced: true, accounts: 2 },
    ]);
  });

  it('is for staff, services and the ledger client, not for merchants', async () => {
    for (const as of [ADMIN, LEDGER_CLIENT, userPrincipal('usr_f', 'finance'), servicePrincipal('payment')]) {
      expect((await ledger.get('/ledger/trial-balance', as)).status).toBe(200);
    }
    for (const as of [merchantPrincipal('mer_1'), userPrincipal('usr_c'), userPrincipal('usr_m', 'merchant')]) {
      const answer = await ledger.get('/ledger/trial-balance', as);
      expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    }
  });
});

describe('a customer', () => {
  const me = userPrincipal('usr_1');
  const mine = 'user:usr_1:wallet:wal_1';
  const others = ['user:usr_12:wallet:wal_2', 'user:usr_1', 'merchant:usr_1:payable', 'shop:till'];
  const ids = new Map<string, string>();
  let toAnother = '';

  beforeAll(async () => {
    const wallet = servicePrincipal('wallet');
    const opens = [mine, `${mine}:held`, ...others].map((code) => ({
      code,
      currency: 'USD',
      floor: code.startsWith('user:') ? 0 : null,
    }));
    const posting = (reference: string, from: string, to: string) => ({
      reference,
      type: 'TRANSFER',
      postings: [move(from, to, 5)],
      accounts: opens.slice(0, 5),
    });
    const { body } = await ledger.post(
      '/internal/ledger/postings',
      {
        postings: [
          posting('customer-1', 'shop:till', mine),
          posting('customer-2', mine, others[0] ?? ''),
          posting('customer-3', others[0] ?? '', others[2] ?? ''),
        ],
      },
      { as: wallet },
    );
    toAnother = (body['results'] as readonly { transactionId: string }[])[1]?.transactionId ?? '';
    const accounts = (await ledger.get('/ledger/accounts?limit=100')).body['data'] as readonly {
      code: string;
      currency: string;
      accountId: string;
    }[];
    for (const { code, currency, accountId } of accounts) if (currency === 'USD') ids.set(code, accountId);
  });

  it('sees the accounts of his own wallets and no other', async () => {
    const accounts = async (query: string) =>
      ((await ledger.get(`/ledger/accounts${query}`, me)).body['data'] as readonly { code: string }[]).map(
        ({ code }) => code,
      );
    expect(await accounts('')).toEqual([`${mine}:held`, mine]);
    expect(await accounts('?prefix=user:usr_1')).toEqual([`${mine}:held`, mine]);
    expect(await accounts('?prefix=user:usr_12')).toEqual([]);
    expect(await accounts('?prefix=shop:')).toEqual([]);
    expect((await ledger.get(`/ledger/accounts/${ids.get(mine) ?? ''}/balance`, me)).body).toMatchObject({
      balance: 0,
    });
    for (const code of others.filter((one) => ids.has(one)))
      for (const path of ['', '/balance'])
        expect(await ledger.get(`/ledger/accounts/${ids.get(code) ?? ''}${path}`, me)).toMatchObject({
          status: 404,
          body: { code: 'account_not_found' },
        });
  });

  it('sees the entries on them, and of a transaction the legs on them', async () => {
    const all = entriesIn((await ledger.get('/ledger', me)).body);
    expect(all.map(({ account, balanceAfter }) => [account, balanceAfter])).toEqual([
      [mine, 0],
      [mine, 5],
    ]);
    for (const code of others) expect(entriesIn((await ledger.get(`/ledger?account=${code}`, me)).body)).toEqual([]);
    const read = await ledger.get(`/ledger/transactions/${toAnother}`, me);
    expect(read.body['entries']).toMatchObject([{ account: mine, direction: 'debit' }]);
    const stranger = await ledger.get(`/ledger/transactions/${toAnother}`, userPrincipal('usr_2'));
    expect(stranger).toMatchObject({ status: 404, body: { code: 'transaction_not_found' } });
  });

  it('who is a member of a merchant sees both', async () => {
    const member = { ...userPrincipal('usr_1', 'merchant'), merchantId: 'usr_1' };
    const { body } = await ledger.get('/ledger/accounts', member);
    expect((body['data'] as readonly { code: string }[]).map(({ code }) => code)).toEqual([
      'merchant:usr_1:payable',
      `${mine}:held`,
      mine,
    ]);
  });
});

it('a person with a merchant role but no merchant sees nothing', async () => {
  const nobody = userPrincipal('usr_m', 'merchant');
  expect((await ledger.get('/ledger', nobody)).body['data']).toEqual([]);
  expect((await ledger.get('/ledger/accounts', nobody)).body['data']).toEqual([]);
  expect((await ledger.get(`/ledger/accounts/${till}`, nobody)).status).toBe(404);
});

it('counts what it does, for /metrics', async () => {
  await ledger.post(POST, { transactions: [transaction('too-much', move('shop:till', 'shop:world', 1_000_000))] });
  const { payload } = await ledger.app.inject({ method: 'GET', url: '/metrics' });
  expect(payload).toMatch(/^payflow_ledger_transactions_total\{door="http",outcome="posted"\} 29$/m);
  expect(payload).toMatch(/^payflow_ledger_refusals_total\{door="http",code="insufficient_funds"\} 1$/m);
  expect(payload).toMatch(/^payflow_ledger_batch_transactions_count\{door="http"\} 28$/m);
});

it('describes its public routes, and none that services keep for each other', async () => {
  const { payload } = await ledger.app.inject({ method: 'GET', url: '/openapi.json' });
  const { paths } = JSON.parse(payload) as { paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  const routes = Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .filter((route) => !route.includes('/operations/'));
  expect(routes.toSorted()).toEqual([
    'GET /ledger',
    'GET /ledger/accounts',
    'GET /ledger/accounts/{accountId}',
    'GET /ledger/accounts/{accountId}/balance',
    'GET /ledger/approvals',
    'GET /ledger/approvals/{approvalId}',
    'GET /ledger/checkpoints',
    'GET /ledger/consistency',
    'GET /ledger/proof/{entryId}',
    'GET /ledger/transactions/{transactionId}',
    'GET /ledger/trial-balance',
    'POST /ledger/accounts',
    'POST /ledger/approvals/{approvalId}/approve',
    'POST /ledger/approvals/{approvalId}/refuse',
    'POST /ledger/transactions',
    'POST /ledger/transactions/{transactionId}/revert',
  ]);
});
