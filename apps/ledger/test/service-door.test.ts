import { LedgerClient, ServiceUnavailableError } from '@payflow/clients';
import type { ServicePosting, ServicePostingResult } from '@payflow/contracts';
import { ledgerClientPrincipal, servicePrincipal, TokenMint, userPrincipal } from '@payflow/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { ADMIN, LedgerUnderTest, move, transaction } from './ledger-under-test.js';

const POST = '/internal/ledger/postings';
const BALANCES = '/internal/ledger/balances';
const WALLET = servicePrincipal('wallet');

let mint: TokenMint;
let ledger: LedgerUnderTest;
let client: LedgerClient;
let scene = 0;
let purse: string;
let other: string;

beforeAll(async () => {
  mint = await TokenMint.open();
  ledger = await LedgerUnderTest.start({}, mint);
  await ledger.app.listen(0, '127.0.0.1');
  client = new LedgerClient({
    url: (await ledger.app.getUrl()).replace('[::1]', '127.0.0.1'),
    accessToken: async () => (await mint.authorization(WALLET)).slice('Bearer '.length),
  });
});
afterAll(async () => {
  await client.close();
  await ledger.stop();
  await mint.close();
});
beforeEach(() => {
  scene += 1;
  purse = `user:usr_${scene}:wallet:wal_${scene}`;
  other = `user:usr_${scene}:wallet:wal_${scene}b`;
});

const open = (code: string, floor: number | null = 0, currency = 'USD') => ({ code, currency, floor });

const posting = (
  reference: string,
  moves: ServicePosting['postings'],
  more: Partial<ServicePosting> = {},
): ServicePosting => ({ reference: `wallet:${scene}:${reference}`, type: 'TRANSFER', postings: moves, ...more });

/** 1,000 into the purse, from an account without a floor. */
const fund = (amount = 1_000): ServicePosting =>
  posting('fund', [move('psp:sim:receivable', purse, amount)], {
    type: 'ADD',
    accounts: [open('psp:sim:receivable', null), open(purse)],
  });

const posted = (result: ServicePostingResult | undefined) => {
  if (result?.status !== 'posted') throw new Error(`not posted: ${JSON.stringify(result)}`);
  return result;
};

describe('the door for services', () => {
  it('posts each for itself, opens the accounts they name, and tells the balances right behind each', async () => {
    const results = await client.post([
      fund(),
      posting('a', [move(purse, other, 300)], { accounts: [open(other)], metadata: { note: 'lunch' } }),
      posting('b', [move(purse, other, 701)]),
      posting('c', [move(purse, other, 700), move(other, purse, 50)]),
    ]);
    const detail = expect.any(String);
    const [, a, b, c] = results;
    expect(posted(a)).toMatchObject({
      replayed: false,
      balances: [
        { code: purse, balance: 700 },
        { code: other, balance: 300 },
      ],
    });
    expect(b).toEqual({
      status: 'refused',
      reference: `wallet:${scene}:b`,
      code: 'insufficient_funds',
      account: purse,
      detail,
    });
    // Two legs on each account: the balance is that after the last.
    expect(posted(c).balances).toEqual([
      { code: purse, balance: 50 },
      { code: other, balance: 950 },
    ]);
    const read = await ledger.get(`/ledger/transactions/${posted(a).transactionId}`);
    expect(read.body).toMatchObject({
      reference: `wallet:${scene}:a`,
      type: 'TRANSFER',
      createdAt: posted(a).postedAt,
      postedBy: 'svc_wallet',
      metadata: { note: 'lunch' },
      entries: [{ balanceAfter: 700 }, { balanceAfter: 300 }],
    });
    const accounts = await ledger.get(`/ledger/accounts?prefix=user:usr_${scene}:`);
    expect(accounts.body['data']).toMatchObject([
      { code: other, floor: 0, balance: 950, entryCount: 3 },
      { code: purse, floor: 0, balance: 50, entryCount: 4 },
    ]);
  });

  it('answers a posting that is sent again as it did then, whatever was posted since', async () => {
    const first = posting('a', [move(purse, other, 300)], { accounts: [open(other)] });
    const [, original] = await client.post([fund(), first]);
    await client.post([posting('later', [move(purse, other, 100)])]);
    const [again, , twin] = await client.post([
      first,
      posting('new', [move(purse, other, 1)]),
      posting('new', [move(purse, other, 1)]),
    ]);
    expect(again).toEqual({ ...posted(original), replayed: true });
    // Twice in one request: once posted, once told.
    expect(posted(twin)).toMatchObject({
      replayed: true,
      balances: [
        { code: purse, balance: 599 },
        { code: other, balance: 401 },
      ],
    });
  });

  it('refuses a reference that was posted with other content, and posts nothing for it', async () => {
    await client.post([fund(), posting('a', [move(purse, other, 300)], { accounts: [open(other)] })]);
    const [amount, metadata] = await client.post([
      posting('a', [move(purse, other, 301)]),
      posting('a', [move(purse, other, 300)], { metadata: { note: 'other' } }),
    ]);
    expect(amount).toMatchObject({ status: 'refused', code: 'reference_taken', account: null });
    expect(metadata).toMatchObject({ status: 'refused', code: 'reference_taken' });
    expect((await client.balances([open(purse), open(other)])).balances.map(({ balance }) => balance)).toEqual([
      700, 300,
    ]);
  });

  it('leaves an account with another floor alone', async () => {
    const claims = `wallet:claims:${scene}`;
    const accounts = [open('psp:sim:receivable', null), open(claims)];
    await client.post([posting('first', [move('psp:sim:receivable', claims, 1_000)], { accounts })]);
    const [overdraft] = await client.post([
      posting('over', [move(claims, 'psp:sim:receivable', 1_001)], { accounts: [open(claims, -500)] }),
    ]);
    expect(overdraft).toMatchObject({ status: 'refused', code: 'insufficient_funds', account: claims });
  });

  it('refuses for ever what it refused for lack of money: a copy that comes late finds the money and does not take it', async () => {
    const late = posting('late', [move(purse, other, 700)], { accounts: [open(purse), open(other)] });
    const refused = { status: 'refused', code: 'insufficient_funds', account: purse };
    expect(await client.post([late])).toMatchObject([refused]);
    expect(posted((await client.post([fund()]))[0]).replayed).toBe(false);
    expect(await client.post([late])).toMatchObject([refused]);
    // Within one request, and beside money that comes in the same one, too.
    const again = posting('again', [move(purse, other, 5_000)]);
    const more = posting('more', [move('psp:sim:receivable', purse, 9_000)]);
    const [first, , second] = await client.post([again, more, again]);
    expect([first, second]).toMatchObject([refused, refused]);
    expect(await client.balances([{ code: other, currency: 'USD' }])).toMatchObject({ balances: [{ balance: 0 }] });
  });

  it('names the account at fault', async () => {
    await client.post([fund()]);
    const [unknown, currency, itself] = await client.post([
      posting('unknown', [move(purse, 'user:nobody:wallet:x', 1)]),
      posting('currency', [move(purse, 'psp:sim:receivable', 1, 'EUR')]),
      posting('itself', [move(purse, purse, 1)]),
    ]);
    expect(unknown).toMatchObject({ code: 'account_not_found', account: 'user:nobody:wallet:x' });
    expect(currency).toMatchObject({ code: 'currency_mismatch', account: purse });
    expect(itself).toMatchObject({ code: 'posting_to_itself', account: purse });
  });

  it('keeps the balance of a wallet exact, and that of an acquirer as large as it is', async () => {
    const accounts = [open('psp:sim:receivable', null, 'JPY'), open(purse, 0, 'JPY')];
    await client.post([posting('first', [move('psp:sim:receivable', purse, 1, 'JPY')], { accounts })]);
    // As if it had been filled a million times; the audit would say so.
    await ledger.database.execute(
      `UPDATE accounts SET balance = CASE code WHEN $1 THEN $2::bigint ELSE -$2::bigint END
        WHERE currency = 'JPY' AND code IN ($1, 'psp:sim:receivable')`,
      [purse, Number.MAX_SAFE_INTEGER],
    );
    const [wallet, acquirer] = await client.post([
      posting('more', [move('psp:sim:receivable', purse, 1, 'JPY')]),
      posting('from-acquirer', [move('psp:sim:receivable', 'psp:other:receivable', 5, 'JPY')], {
        accounts: [open('psp:other:receivable', null, 'JPY')],
      }),
    ]);
    expect(wallet).toMatchObject({ status: 'refused', code: 'balance_out_of_range', account: purse });
    expect(acquirer).toMatchObject({ status: 'posted' });
  });

  it('shares its commits with everybody else, and nobody pays what he does not have', async () => {
    await client.post([fund()]);
    const own = await Promise.all([ledger.openAccount(`own-${scene}`), ledger.openAccount(`world-${scene}`)]);
    // 40 requests of 50 and 40 of one: each wants 1 of the thousand, into 40 accounts that are opened meanwhile.
    const bulk = Array.from({ length: 40 }, (_, request) =>
      client.post(
        Array.from({ length: 50 }, (__, index) =>
          posting(`${request}-${index}`, [move(purse, `${other}-${index}`, 1)], {
            accounts: [open(`${other}-${index}`)],
          }),
        ),
      ),
    );
    const clients = Array.from({ length: 40 }, (_, index) =>
      ledger.post(
        '/ledger/transactions',
        { transactions: [transaction(`own-${scene}-${index}`, move(`world-${scene}`, `own-${scene}`, 1))] },
        { key: `own-${scene}-${index}` },
      ),
    );
    const results = (await Promise.all(bulk)).flat();
    expect((await Promise.all(clients)).map(({ status }) => status)).toEqual(clients.map(() => 201));
    expect(results.filter(({ status }) => status === 'posted')).toHaveLength(1_000);
    expect(
      results.filter((result) => result.status === 'refused' && result.code === 'insufficient_funds'),
    ).toHaveLength(1_000);
    expect(await ledger.balanceOf(own[0])).toBe(40);
    // Each answered balance of the purse is another one: the postings stand in one order.
    const behind = results.flatMap((result) =>
      result.status === 'posted' ? result.balances.filter(({ code }) => code === purse) : [],
    );
    expect(new Set(behind.map(({ balance }) => balance)).size).toBe(1_000);
  }, 60_000);

  it('is for services only', async () => {
    const body = { postings: [fund()] };
    for (const as of [ledgerClientPrincipal(), ADMIN, userPrincipal('usr_1')]) {
      expect(await ledger.post(POST, body, { as })).toMatchObject({
        status: 403,
        body: { code: 'insufficient_scope' },
      });
      const balances = { accounts: [{ code: purse, currency: 'USD' }] };
      expect(await ledger.post(BALANCES, balances, { as })).toMatchObject({ status: 403 });
    }
    expect(await ledger.ask('POST', POST, { body })).toMatchObject({ status: 401 });
  });

  it.each([
    ['no posting', { postings: [] }],
    ['more than 500', { postings: Array.from({ length: 501 }, (_, n) => posting(String(n), [move('a', 'b', 1)])) }],
    ['a reference of the ledger’s own', { postings: [{ ...fund(), reference: 'payflow:payment:pay_1:1' }] }],
    [
      'an account that looks like an id',
      { postings: [{ ...fund(), accounts: [open('acc_01kxyz6w3hf8btq2v9m4n7r5sd')] }] },
    ],
    ['a floor above zero', { postings: [{ ...fund(), accounts: [open('user:x:wallet:y', 1)] }] }],
    ['a wallet without a floor', { postings: [{ ...fund(), accounts: [open('user:x:wallet:y', null)] }] }],
    ['a wallet that may be overdrawn', { postings: [{ ...fund(), accounts: [open('user:x:wallet:y:held', -1)] }] }],
    ['an amount of zero', { postings: [posting('zero', [move('a', 'b', 0)])] }],
    ['a member nobody knows', { postings: [{ ...fund(), atomic: true }] }],
  ])('refuses %s', async (_, body) => {
    expect(await ledger.post(POST, body, { as: WALLET })).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
  });

  it('cannot be kept from its references by a client', async () => {
    const squatted = { transactions: [transaction('wallet:txn_1', move('a', 'b', 1))] };
    expect(await ledger.post('/ledger/transactions', squatted)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/transactions/0/reference' }] },
    });
  });

  it('says that nobody knows when the ledger does not answer', async () => {
    const nobody = new LedgerClient({ url: 'http://127.0.0.1:1', accessToken: () => Promise.resolve('token') });
    const failure = await nobody.post([fund()]).catch((error: unknown) => error);
    await nobody.close();
    expect(failure).toBeInstanceOf(ServiceUnavailableError);
    // Nothing listens there, so nothing was sent.
    expect(failure).toMatchObject({ mayHaveTakenEffect: false });
  });
});

describe('balances for services', () => {
  it('are those of one moment, now or then, 0 where there is no account', async () => {
    const [funding] = await client.post([fund()]);
    const then = posted(funding).postedAt;
    await ledger.database.query('SELECT pg_sleep(0.002)');
    await client.post([posting('a', [move(purse, other, 300)], { accounts: [open(other)] })]);
    const asked = [purse, other, purse, 'user:nobody:wallet:x'].map((code) => ({ code, currency: 'USD' }));
    const now = await client.balances([...asked, { code: purse, currency: 'EUR' }]);
    expect(now.balances).toEqual([
      { code: purse, currency: 'USD', balance: 700 },
      { code: other, currency: 'USD', balance: 300 },
      { code: purse, currency: 'USD', balance: 700 },
      { code: 'user:nobody:wallet:x', currency: 'USD', balance: 0 },
      { code: purse, currency: 'EUR', balance: 0 },
    ]);
    const before = await client.balances(asked, then);
    expect(before).toMatchObject({ asOf: then, balances: [{ balance: 1_000 }, { balance: 0 }, {}, { balance: 0 }] });
    expect((await client.balances(asked, '2020-01-01T00:00:00Z')).balances[0]).toMatchObject({ balance: 0 });
  });

  it('move no money while they are read: transfers between two accounts never change their sum', async () => {
    await client.post([fund(), posting('open', [move(purse, other, 500)], { accounts: [open(other)] })]);
    let reading = true;
    const transfers = Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        client.post([posting(`t-${n}`, [move(n % 2 === 0 ? purse : other, n % 2 === 0 ? other : purse, 7)])]),
      ),
    ).then(() => {
      reading = false;
    });
    const sums = new Set<number>();
    do {
      const { balances } = await client.balances(
        [open(purse), open(other)].map(({ code, currency }) => ({ code, currency })),
      );
      sums.add(balances.reduce((sum, { balance }) => sum + balance, 0));
    } while (reading);
    await transfers;
    expect([...sums]).toEqual([1_000]);
  });
});
