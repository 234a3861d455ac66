import { merchantPrincipal, servicePrincipal, userPrincipal } from '@payflow/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { LEDGER_CLIENT, LedgerUnderTest, move, transaction } from './ledger-under-test.js';

const POST = '/ledger/transactions';

let ledger: LedgerUnderTest;
let alice: string;
let bob: string;
let names: { readonly alice: string; readonly bob: string; readonly world: string };
let scene = 0;

beforeAll(async () => {
  ledger = await LedgerUnderTest.start();
});
afterAll(async () => {
  await ledger.stop();
});

/** Alice has 1,000 and a floor of zero, Bob has nothing; the world has no floor. */
beforeEach(async () => {
  scene += 1;
  names = { alice: `own:alice-${scene}`, bob: `own:bob-${scene}`, world: `world-${scene}` };
  alice = await ledger.openAccount(names.alice, { floor: 0 });
  bob = await ledger.openAccount(names.bob, { floor: 0 });
  await ledger.openAccount(names.world);
  const funding = transaction(`fund-${scene}`, move(names.world, names.alice, 1_000));
  expect((await ledger.post(POST, { transactions: [funding] })).status).toBe(201);
});

describe('posting transactions', () => {
  it('moves money at once, and the next read sees it', async () => {
    const { status, body } = await ledger.post(POST, {
      transactions: [
        {
          ...transaction(`t-${scene}`, move(names.alice, names.bob, 300)),
          type: 'RENT',
          effectiveAt: '2026-01-31T12:00:00Z',
          metadata: { invoice: 'i-1' },
        },
      ],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ dryRun: false, results: [{ status: 'posted', replayed: false }] });
    expect([await ledger.balanceOf(alice), await ledger.balanceOf(bob)]).toEqual([700, 300]);
    const [result] = body['results'] as readonly { transactionId: string }[];
    const read = await ledger.get(`${POST}/${result?.transactionId ?? ''}`);
    expect(read.body).toMatchObject({
      reference: `t-${scene}`,
      type: 'RENT',
      effectiveAt: '2026-01-31T12:00:00.000Z',
      metadata: { invoice: 'i-1' },
      postedBy: LEDGER_CLIENT.id,
      revertedBy: null,
      entries: [
        { account: names.alice, direction: 'debit', amount: 300, balanceAfter: 700, type: 'RENT' },
        { account: names.bob, direction: 'credit', amount: 300, balanceAfter: 300, type: 'RENT' },
      ],
    });
  });

  it('answers for each transaction by itself: a refused one does not hurt its neighbours', async () => {
    const { status, body } = await ledger.post(POST, {
      transactions: [
        transaction(`a-${scene}`, move(names.alice, names.bob, 600)),
        transaction(`b-${scene}`, move(names.alice, names.bob, 600)),
        transaction(`c-${scene}`, move(names.alice, 'nobody', 1)),
        transaction(`d-${scene}`, move(names.alice, names.bob, 400)),
      ],
    });
    expect(status).toBe(201);
    expect(body['results']).toMatchObject([
      { status: 'posted', reference: `a-${scene}` },
      { status: 'refused', reference: `b-${scene}`, code: 'insufficient_funds' },
      { status: 'refused', reference: `c-${scene}`, code: 'account_not_found' },
      { status: 'posted', reference: `d-${scene}` },
    ]);
    expect([await ledger.balanceOf(alice), await ledger.balanceOf(bob)]).toEqual([0, 1_000]);
  });

  it('posts all or none with `atomic`, and points to each fault', async () => {
    const { status, body } = await ledger.post(POST, {
      atomic: true,
      transactions: [
        transaction(`a-${scene}`, move(names.alice, names.bob, 600)),
        transaction(`b-${scene}`, move(names.alice, names.bob, 600)),
        transaction(`fund-${scene}`, move(names.bob, names.alice, 1)),
        transaction(`c-${scene}`, move(names.alice, names.bob, 1), move(names.alice, 'nobody', 1)),
      ],
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: 'batch_refused',
      errors: [
        { pointer: '/transactions/1/postings/0/from', code: 'insufficient_funds' },
        { pointer: '/transactions/2/reference', code: 'reference_taken' },
        { pointer: '/transactions/3/postings/1/to', code: 'account_not_found' },
      ],
    });
    expect(await ledger.balanceOf(alice)).toBe(1_000);
    const whole = await ledger.post(POST, {
      atomic: true,
      transactions: [transaction(`a-${scene}`, move(names.alice, names.bob, 600))],
    });
    expect(whole.status).toBe(201);
  });

  it('posts a reference once for ever: again is the same transaction, other content is refused', async () => {
    const once = { transactions: [transaction(`once-${scene}`, move(names.alice, names.bob, 900))] };
    const first = await ledger.post(POST, once);
    const again = await ledger.post(POST, once);
    const byId = await ledger.post(POST, { transactions: [transaction(`once-${scene}`, move(alice, bob, 900))] });
    const other = await ledger.post(POST, {
      transactions: [transaction(`once-${scene}`, move(names.alice, names.bob, 1))],
    });
    const [posted] = first.body['results'] as readonly { transactionId: string }[];
    const replay = [{ status: 'posted', replayed: true, transactionId: posted?.transactionId }];
    expect(again.body['results']).toMatchObject(replay);
    expect(byId.body['results']).toMatchObject(replay);
    expect(other.body['results']).toMatchObject([{ status: 'refused', code: 'reference_taken' }]);
    expect(await ledger.balanceOf(bob)).toBe(900);
  });

  it('rehearses with `dryRun=true`: the answer is what would be, and nothing is written', async () => {
    const before = await Promise.all([ledger.countRows('transactions'), ledger.countRows('entries')]);
    const body = {
      transactions: [
        transaction(`dry-${scene}`, move(names.alice, names.bob, 700)),
        transaction(`dry2-${scene}`, move(names.alice, names.bob, 700)),
        transaction(`fund-${scene}`, move(names.world, names.alice, 1_000)),
      ],
    };
    const rehearsed = await ledger.post(`${POST}?dryRun=true`, body, { key: `dry-${scene}` });
    expect(rehearsed.status).toBe(200);
    expect(rehearsed.body).toMatchObject({
      dryRun: true,
      results: [
        { status: 'posted', transactionId: null, replayed: false },
        { status: 'refused', code: 'insufficient_funds' },
        { status: 'posted', replayed: true },
      ],
    });
    expect(await Promise.all([ledger.countRows('transactions'), ledger.countRows('entries')])).toEqual(before);
    const atomic = await ledger.post(`${POST}?dryRun=true`, { ...body, atomic: true });
    expect(atomic).toMatchObject({ status: 422, body: { code: 'batch_refused' } });
  });

  it('takes a thousand transactions at once, and not one more', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({
      ...transaction(`bulk-${scene}-${index}`, move(names.world, names.bob, 1)),
      metadata: { note: 'x'.repeat(400) },
    }));
    const posted = await ledger.post(POST, { transactions: many });
    expect(posted.status).toBe(201);
    expect(posted.body['results']).toHaveLength(1_000);
    expect(await ledger.balanceOf(bob)).toBe(1_000);
    const tooMany = await ledger.post(POST, { transactions: [...many, many[0]] });
    expect(tooMany).toMatchObject({ status: 400, body: { errors: [{ pointer: '/transactions' }] } });
  });

  it('lets a hot account pay what it holds and no more, whoever asks at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        ledger.post(POST, { transactions: [transaction(`hot-${scene}-${index}`, move(names.alice, names.bob, 100))] }),
      ),
    );
    const results = answers.flatMap(({ body }) => body['results'] as readonly { status: string; code?: string }[]);
    expect(results.filter(({ status }) => status === 'posted')).toHaveLength(10);
    expect(results.filter(({ code }) => code === 'insufficient_funds')).toHaveLength(40);
    expect([await ledger.balanceOf(alice), await ledger.balanceOf(bob)]).toEqual([0, 1_000]);
  });

  it('keeps balances within what JSON numbers hold exactly', async () => {
    const max = 99_999_999_999_999;
    const fill = (count: number, tag: string) => ({
      transactions: Array.from({ length: count }, (_, index) =>
        transaction(`${tag}-${scene}-${index}`, move(names.world, names.bob, max)),
      ),
    });
    const filled = await ledger.post(POST, fill(91, 'fill'));
    const results = filled.body['results'] as readonly { status: string; code?: string }[];
    expect(results.filter(({ status }) => status === 'posted')).toHaveLength(90);
    expect(results.at(-1)).toMatchObject({ status: 'refused', code: 'balance_out_of_range' });
    expect(await ledger.balanceOf(bob)).toBe(90 * max);
  });
});

describe('an Idempotency-Key', () => {
  const body = () => ({ transactions: [transaction(`key-${scene}`, move(names.alice, names.bob, 250))] });

  it('gives a repetition the same answer to the byte', async () => {
    const first = await ledger.post(POST, body(), { key: `k-${scene}` });
    const second = await ledger.post(POST, body(), { key: `k-${scene}` });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    expect(second.headers).toMatchObject({ 'idempotent-replayed': 'true' });
  });

  it('has one effect when twins come at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ledger.post(POST, body(), { key: `k-${scene}` })),
    );
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(1);
    for (const { status, body: answer } of answers) {
      if (status !== 201) expect(answer).toMatchObject({ status: 409, code: 'idempotency_key_in_use' });
    }
    expect(await ledger.balanceOf(bob)).toBe(250);
  });

  it('is one commit with what it did, shared with requests that have none and that replay', async () => {
    const known = await ledger.post(POST, body(), { key: `k-${scene}` });
    const others = Array.from({ length: 6 }, (_, index) =>
      ledger.post(
        POST,
        { transactions: [transaction(`beside-${scene}-${index}`, move(names.alice, names.bob, 1))] },
        index % 2 === 0 ? { key: `beside-${scene}-${index}` } : {},
      ),
    );
    const [again, reused, ...posted] = await Promise.all([
      ledger.post(POST, body(), { key: `k-${scene}` }),
      ledger
        .post(POST, { ...body(), atomic: true }, { key: `k2-${scene}` })
        .then(() => ledger.post(POST, body(), { key: `k2-${scene}` })),
      ...others,
    ]);
    expect(again.text).toBe(known.text);
    expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(posted.map(({ status }) => status)).toEqual(others.map(() => 201));
    const commits = await ledger.database.query(
      `SELECT k.key FROM idempotency_keys k JOIN transactions t ON t.id = k.resource_id
        WHERE starts_with(k.key, $1) AND k.xmin = t.xmin`,
      [`beside-${scene}-`],
    );
    expect(commits).toHaveLength(3);
  });

  it('is refused for another request', async () => {
    await ledger.post(POST, body(), { key: `k-${scene}` });
    const other = await ledger.post(POST, { ...body(), atomic: true }, { key: `k-${scene}` });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it('replays a refused atomic batch as it was, though it could be posted now', async () => {
    const tooMuch = { atomic: true, transactions: [transaction(`late-${scene}`, move(names.bob, names.alice, 5))] };
    const first = await ledger.post(POST, tooMuch, { key: `k-${scene}` });
    expect(first).toMatchObject({ status: 422, body: { code: 'batch_refused' } });
    await ledger.post(POST, { transactions: [transaction(`more-${scene}`, move(names.world, names.bob, 5))] });
    const second = await ledger.post(POST, tooMuch, { key: `k-${scene}` });
    expect(second.text).toBe(first.text);
    expect(second.status).toBe(422);
  });

  it('opens one account', async () => {
    const account = { code: `keyed-${scene}`, currency: 'EUR' };
    const first = await ledger.post('/ledger/accounts', account, { key: `a-${scene}` });
    const second = await ledger.post('/ledger/accounts', account, { key: `a-${scene}` });
    expect(first).toMatchObject({
      status: 201,
      body: { code: `keyed-${scene}`, balance: 0, entryCount: 0, floor: null },
    });
    expect(second.text).toBe(first.text);
    const taken = await ledger.post('/ledger/accounts', account);
    expect(taken).toMatchObject({ status: 409, body: { code: 'account_code_taken', errors: [{ pointer: '/code' }] } });
  });
});

describe('reverting a transaction', () => {
  const posted = async (reference: string, ...postings: readonly ReturnType<typeof move>[]): Promise<string> => {
    const { body } = await ledger.post(POST, { transactions: [transaction(reference, ...postings)] });
    const [result] = body['results'] as readonly { transactionId: string }[];
    return result?.transactionId ?? '';
  };

  it('posts the same amounts the other way, and names each in the other', async () => {
    const id = await posted(`r-${scene}`, move(names.alice, names.bob, 500), move(names.bob, names.world, 200));
    const reverted = await ledger.post(`${POST}/${id}/revert`, {});
    expect(reverted.status).toBe(201);
    expect(reverted.body).toMatchObject({
      type: 'REVERSAL',
      reverts: id,
      entries: [
        { account: names.world, direction: 'debit', amount: 200 },
        { account: names.bob, direction: 'credit', amount: 200 },
        { account: names.bob, direction: 'debit', amount: 500 },
        { account: names.alice, direction: 'credit', amount: 500, balanceAfter: 1_000 },
      ],
    });
    expect((await ledger.get(`${POST}/${id}`)).body['revertedBy']).toBe(reverted.body['transactionId']);
  });

  it('happens once, whoever asks at once', async () => {
    const id = await posted(`r-${scene}`, move(names.alice, names.bob, 500));
    const answers = await Promise.all(Array.from({ length: 6 }, () => ledger.post(`${POST}/${id}/revert`, {})));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 201);
    for (const { body } of refused) expect(body).toMatchObject({ status: 409, code: 'already_reverted' });
    expect([await ledger.balanceOf(alice), await ledger.balanceOf(bob)]).toEqual([1_000, 0]);
  });

  it('replays with its key', async () => {
    const id = await posted(`r-${scene}`, move(names.alice, names.bob, 500));
    const first = await ledger.post(`${POST}/${id}/revert`, {}, { key: `rk-${scene}` });
    const second = await ledger.post(`${POST}/${id}/revert`, {}, { key: `rk-${scene}` });
    expect(first.status).toBe(201);
    expect(second.text).toBe(first.text);
  });

  it('is refused when the money is gone', async () => {
    const id = await posted(`r-${scene}`, move(names.alice, names.bob, 500));
    await posted(`spent-${scene}`, move(names.bob, names.world, 500));
    const answer = await ledger.post(`${POST}/${id}/revert`, {});
    expect(answer).toMatchObject({ status: 422, body: { code: 'insufficient_funds' } });
  });

  it('is refused for what there is not, and for an id of something else', async () => {
    const unknown = await ledger.post(`${POST}/ltx_01kxyz6w3hf8btq2v9m4n7r5sd/revert`, {});
    expect(unknown).toMatchObject({ status: 404, body: { code: 'transaction_not_found' } });
    const account = await ledger.post(`${POST}/${alice}/revert`, {});
    expect(account).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });
});

describe('bad input', () => {
  const good = () => transaction(`bad-${scene}`, move(names.alice, names.bob, 1));
  const withPosting = (change: object) => ({
    transactions: [{ reference: 'r', postings: [{ ...move(names.alice, names.bob, 1), ...change }] }],
  });
  const withTransaction = (change: object) => ({ transactions: [{ ...good(), ...change }] });

  it.each<readonly [string, () => unknown, string]>([
    ['no transactions', () => ({}), '/transactions'],
    ['an empty batch', () => ({ transactions: [] }), '/transactions'],
    ['a text for transactions', () => ({ transactions: 'all' }), '/transactions'],
    ['an unknown field', () => ({ transactions: [good()], extra: 1 }), '/extra'],
    ['an unknown field in a posting', () => withPosting({ fee: 1 }), '/transactions/0/postings/0/fee'],
    ['no postings', () => withTransaction({ postings: [] }), '/transactions/0/postings'],
    ['a negative amount', () => withPosting({ amount: -1 }), '/transactions/0/postings/0/amount'],
    ['an amount of zero', () => withPosting({ amount: 0 }), '/transactions/0/postings/0/amount'],
    ['a fraction of a cent', () => withPosting({ amount: 1.5 }), '/transactions/0/postings/0/amount'],
    ['a huge amount', () => withPosting({ amount: 100_000_000_000_000 }), '/transactions/0/postings/0/amount'],
    ['an amount in text', () => withPosting({ amount: '1' }), '/transactions/0/postings/0/amount'],
    ['no amount', () => withPosting({ amount: undefined }), '/transactions/0/postings/0/amount'],
    ['a currency there is not', () => withPosting({ currency: 'XYZ' }), '/transactions/0/postings/0/currency'],
    ['a currency in small letters', () => withPosting({ currency: 'usd' }), '/transactions/0/postings/0/currency'],
    ['SQL for an account', () => withPosting({ from: "x'; DROP TABLE entries;--" }), '/transactions/0/postings/0/from'],
    ['an account that is an object', () => withPosting({ to: { $ne: 1 } }), '/transactions/0/postings/0/to'],
    ['an empty reference', () => withTransaction({ reference: '' }), '/transactions/0/reference'],
    ['a reference with a line break', () => withTransaction({ reference: 'a\r\nb' }), '/transactions/0/reference'],
    ['a reference that is not ASCII', () => withTransaction({ reference: 'réf' }), '/transactions/0/reference'],
    [
      'a reference that is too long',
      () => withTransaction({ reference: 'r'.repeat(201) }),
      '/transactions/0/reference',
    ],
    [
      "a reference of the ledger's own",
      () => withTransaction({ reference: 'payflow:payment:pay_1:2' }),
      '/transactions/0/reference',
    ],
    ['a type in small letters', () => withTransaction({ type: 'rent' }), '/transactions/0/type'],
    ['a time that is none', () => withTransaction({ effectiveAt: 'yesterday' }), '/transactions/0/effectiveAt'],
    ['metadata that is a number', () => withTransaction({ metadata: { a: 1 } }), '/transactions/0/metadata/a'],
    ['atomic in text', () => ({ transactions: [good()], atomic: 'yes' }), '/atomic'],
  ])('%s is told with a pointer, and nothing is written', async (_, body, pointer) => {
    const before = await ledger.countRows('transactions');
    const answer = await ledger.post(POST, body());
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.body['errors']).toContainEqual(expect.objectContaining({ pointer }));
    expect(await ledger.countRows('transactions')).toBe(before);
  });

  it.each([
    ['broken JSON', '{"transactions": [', 400, 'malformed_json'],
    ['duplicate keys', '{"atomic": true, "atomic": false, "transactions": []}', 400, 'malformed_json'],
    ['deep nesting', `{"transactions": ${'['.repeat(50)}${']'.repeat(50)}}`, 400, 'malformed_json'],
    ['a body too large', `{"transactions": "${'x'.repeat(1_100_000)}"}`, 413, 'body_too_large'],
  ])('%s is refused', async (_, rawBody, status, code) => {
    const answer = await ledger.ask('POST', POST, { as: LEDGER_CLIENT, rawBody });
    expect(answer).toMatchObject({ status, body: { code } });
  });

  it.each<readonly [string, string, object, string]>([
    ['a code with spaces', '/ledger/accounts', { code: 'a b', currency: 'USD' }, '/code'],
    ['an empty segment', '/ledger/accounts', { code: 'a::b', currency: 'USD' }, '/code'],
    ['a floor above zero', '/ledger/accounts', { code: 'a', currency: 'USD', floor: 1 }, '/floor'],
    [
      'a floor that no double holds',
      '/ledger/accounts',
      { code: 'a', currency: 'USD', floor: -9_007_199_254_740_992 },
      '/floor',
    ],
    ['no currency', '/ledger/accounts', { code: 'a' }, '/currency'],
  ])('%s opens no account', async (_, path, body, pointer) => {
    const before = await ledger.countRows('accounts');
    const answer = await ledger.post(path, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.body['errors']).toContainEqual(expect.objectContaining({ pointer }));
    expect(await ledger.countRows('accounts')).toBe(before);
  });

  it.each([
    '/ledger?limit=0',
    '/ledger?limit=101',
    '/ledger?cursor=%00',
    '/ledger?cursor=bm9uZQ',
    '/ledger?from=tomorrow',
    '/ledger?account=a%20b',
    '/ledger?unknown=1',
    '/ledger/accounts?cursor=bm9uZQ',
    '/ledger/accounts?prefix=%25',
    '/ledger/accounts/acc_1',
    '/ledger/accounts/1%27%20OR%201=1',
    '/ledger/transactions/le_01kxyz6w3hf8btq2v9m4n7r5sd',
  ])('GET %s is told what is wrong', async (path) => {
    const answer = await ledger.get(path);
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.body['errors']).toHaveLength(1);
  });

  it.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'])(
    'the far time %s is a time like another',
    async (time) => {
      expect((await ledger.get(`/ledger?from=${time}&to=${time}`)).status).toBe(200);
      expect((await ledger.get(`/ledger/accounts/${alice}/balance?asOf=${time}`)).status).toBe(200);
      const posted = await ledger.post(POST, {
        transactions: [{ ...good(), reference: `far-${scene}-${time}`, effectiveAt: time }],
      });
      expect(posted.body['results']).toMatchObject([{ status: 'posted' }]);
      const [result] = posted.body['results'] as readonly { transactionId: string }[];
      expect((await ledger.get(`${POST}/${result?.transactionId ?? ''}`)).status).toBe(200);
    },
  );
});

describe('who may post', () => {
  const body = () => ({ transactions: [transaction(`who-${scene}`, move(names.alice, names.bob, 1))] });

  it.each([
    ['a merchant', merchantPrincipal('mer_1')],
    ['a customer', userPrincipal('usr_1')],
  ])('not %s', async (_, as) => {
    for (const path of [POST, `${POST}/ltx_01kxyz6w3hf8btq2v9m4n7r5sd/revert`]) {
      expect(await ledger.post(path, body(), { as })).toMatchObject({
        status: 403,
        body: { code: 'insufficient_scope' },
      });
    }
    const account = await ledger.post('/ledger/accounts', { code: 'x', currency: 'USD' }, { as });
    expect(account).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });

  it('not one without a token', async () => {
    expect(await ledger.ask('POST', POST, { body: body() })).toMatchObject({ status: 401 });
  });

  it.each([
    'psp:sim:receivable',
    'merchant:mer_1:payable',
    'fees:revenue',
    'memo:x:y',
    'bank:b:cash',
    'user:usr_1:wallet:wal_1',
    'wallet:claims',
  ])("a client may neither open nor use %s: it is PayFlow's own", async (code) => {
    const opened = await ledger.post('/ledger/accounts', { code, currency: 'JPY' });
    expect(opened).toMatchObject({ status: 403, body: { code: 'account_reserved', errors: [{ pointer: '/code' }] } });
    const own = await ledger.post('/ledger/accounts', { code, currency: 'USD' }, { as: servicePrincipal('wallet') });
    const byCode = transaction(`reserved-${scene}-${code}`, move(names.alice, code, 1));
    expect(own.status === 201 || own.body['code'] === 'account_code_taken').toBe(true);
    const used = await ledger.post(POST, { transactions: [byCode] });
    expect(used.body['results']).toMatchObject([{ status: 'refused', code: 'account_reserved' }]);
    const byService = await ledger.post(POST, { transactions: [byCode] }, { as: servicePrincipal('wallet') });
    expect(byService.body['results']).toMatchObject([{ status: 'posted' }]);
  });

  it('a client may not take back what touches them', async () => {
    const service = servicePrincipal('wallet');
    await ledger.post('/ledger/accounts', { code: 'fees:revenue', currency: 'USD' }, { as: service });
    const posted = await ledger.post(
      POST,
      { transactions: [transaction(`fee-${scene}`, move(names.alice, 'fees:revenue', 1))] },
      { as: service },
    );
    const [result] = posted.body['results'] as readonly { transactionId: string }[];
    const reverted = await ledger.post(`${POST}/${result?.transactionId ?? ''}/revert`, {});
    expect(reverted).toMatchObject({ status: 403, body: { code: 'account_reserved' } });
  });

  it('an account code may not look like an id', async () => {
    const answer = await ledger.post('/ledger/accounts', { code: alice, currency: 'EUR' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'account_reserved' } });
  });
});
