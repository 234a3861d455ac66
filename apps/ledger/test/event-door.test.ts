import { newId } from '@payflow/kernel';
import { eventually, merchantPrincipal, servicePrincipal, testKafka, TokenMint } from '@payflow/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ADMIN, LEDGER_CLIENT, LedgerUnderTest } from './ledger-under-test.js';
import { PaymentEventSource, PaymentStory } from './payment-event-source.js';

const PAYMENT = servicePrincipal('payment');
const WALLET = servicePrincipal('wallet');
const prefix = `ledger-door-${process.pid}-${newId('req').slice(-8)}.`;

let mint: TokenMint;
let source: PaymentEventSource;
let ledger: LedgerUnderTest;

beforeAll(async () => {
  mint = await TokenMint.open();
  source = await PaymentEventSource.start({
    AUTH_URL: mint.url,
    ISSUER: mint.url,
    KAFKA_BROKERS: testKafka().brokerList,
    KAFKA_TOPIC_PREFIX: prefix,
  });
  // The owner's address leads nowhere: what this ledger knows, it has from Kafka.
  ledger = await LedgerUnderTest.start(
    { KAFKA_TOPIC_PREFIX: prefix, LOG_LEVEL: 'silent', PAYMENT_URL: 'http://127.0.0.1:1' },
    mint,
  );
}, 60_000);
afterAll(async () => {
  await ledger.stop();
  await source.stop();
  await mint.close();
}, 60_000);

interface Line {
  readonly type: string;
  readonly amount: number;
}

const entriesOf = async (paymentId: string, sequence: number, query = '') =>
  await ledger.get(`/internal/payments/${paymentId}/entries?sequence=${sequence}&waitMs=10000${query}`, PAYMENT);

const linesIn = (body: Record<string, unknown>): readonly string[] =>
  (body['entries'] as readonly Line[]).map(({ type, amount }) => `${type} ${amount}`);

describe('a payment in the ledger', () => {
  const merchantId = newId('mer');
  const story = new PaymentStory(merchantId).created(1_000).authorized(1_000).captured(600, 47, 1_000).refunded(200);

  beforeAll(async () => {
    await source.emit(story.emitted(new Date('2026-02-01T00:00:00Z')));
  });

  it('is there as soon as it is asked for by its sequence: one line for each posting', async () => {
    const { status, body } = await entriesOf(story.paymentId, 4);
    expect(status).toBe(200);
    expect(body).toMatchObject({ appliedSequence: 4, ledgerBalance: 400 });
    expect(linesIn(body)).toEqual(['AUTH 1000', 'CAPTURE 600', 'FEE 47', 'AUTH_RELEASE 1000', 'REFUND 200']);
  });

  it('stands as it stood at a time: by when things happened, not by when the ledger heard of them', async () => {
    await entriesOf(story.paymentId, 4);
    const before = await entriesOf(story.paymentId, 4, '&asOf=2026-01-31T23:59:59Z');
    const after = await entriesOf(story.paymentId, 4, '&asOf=2026-02-01T00:00:00Z');
    expect([before.body['ledgerBalance'], after.body['ledgerBalance']]).toEqual([0, 400]);
    expect(before.body['entries']).toEqual([]);
  });

  it('has the same lines for ever at a sequence: what a service posts about it is in the journal, under its id', async () => {
    const other = new PaymentStory(newId('mer')).created(500).authorized(500);
    await source.emit(other.emitted(new Date('2026-03-01T00:00:00Z')));
    const before = await entriesOf(other.paymentId, 2);
    const [from, to] = ['psp:wallet:receivable', 'user:usr_1:wallet:wal_1'];
    const posting = {
      reference: `wallet:${other.paymentId}`,
      type: 'ADD',
      postings: [{ from, to, amount: 500, currency: 'USD' }],
      accounts: [
        { code: from, currency: 'USD', floor: null },
        { code: to, currency: 'USD', floor: 0 },
      ],
      paymentId: other.paymentId,
    };
    const { body } = await ledger.post('/internal/ledger/postings', { postings: [posting] }, { as: WALLET });
    expect(body).toMatchObject({ results: [{ status: 'posted' }] });
    expect((await entriesOf(other.paymentId, 2)).body).toEqual(before.body);
    const journal = await ledger.get(`/ledger?paymentId=${other.paymentId}&type=ADD`);
    expect(journal.body['data']).toHaveLength(2);
  });

  it('is in the accounts of the chart', async () => {
    await entriesOf(story.paymentId, 4);
    const { body } = await ledger.get(`/ledger/accounts?prefix=merchant:${merchantId}:`);
    expect(body['data']).toMatchObject([{ code: `merchant:${merchantId}:payable`, currency: 'USD', balance: 353 }]);
    const memo = await ledger.get(`/ledger/accounts?prefix=memo:merchant:${merchantId}:`);
    expect(memo.body['data']).toMatchObject([{ balance: 0, entryCount: 2 }]);
  });

  it('names event, acquirer reference and payment in its transactions', async () => {
    await entriesOf(story.paymentId, 4);
    const { body } = await ledger.get(`/ledger?paymentId=${story.paymentId}&type=CAPTURE`);
    const [entry] = body['data'] as readonly { transactionId: string }[];
    const read = await ledger.get(`/ledger/transactions/${entry?.transactionId ?? ''}`);
    expect(read.body).toMatchObject({
      type: 'CAPTURE',
      reference: `payflow:payment:${story.paymentId}:3`,
      paymentId: story.paymentId,
      merchantId,
      acquirerReference: `C-${story.paymentId}`,
      eventId: expect.stringMatching(/^evt_/),
      postedBy: null,
      effectiveAt: '2026-02-01T00:00:00.000Z',
      metadata: { orderId: 'o-1' },
    });
    expect(read.body['entries']).toHaveLength(6);
  });

  it('is seen by its merchant on his own accounts, and by no other merchant', async () => {
    await entriesOf(story.paymentId, 4);
    const own = await ledger.get(`/ledger?paymentId=${story.paymentId}`, merchantPrincipal(merchantId));
    const accounts = (own.body['data'] as readonly { account: string }[]).map(({ account }) => account);
    expect(accounts).toHaveLength(5);
    expect(accounts.filter((account) => !account.includes(`merchant:${merchantId}:`))).toEqual([]);
    const stranger = merchantPrincipal(newId('mer'));
    for (const query of [
      `paymentId=${story.paymentId}`,
      `merchantId=${merchantId}`,
      `account=merchant:${merchantId}:payable`,
    ]) {
      expect((await ledger.get(`/ledger?${query}`, stranger)).body['data']).toEqual([]);
    }
    const [account] = (await ledger.get(`/ledger/accounts?prefix=merchant:${merchantId}:payable`)).body[
      'data'
    ] as readonly {
      accountId: string;
    }[];
    const [entry] = own.body['data'] as readonly { transactionId: string }[];
    for (const path of [
      `/ledger/accounts/${account?.accountId ?? ''}`,
      `/ledger/accounts/${account?.accountId ?? ''}/balance`,
      `/ledger/transactions/${entry?.transactionId ?? ''}`,
    ]) {
      expect((await ledger.get(path, merchantPrincipal(merchantId))).status).toBe(200);
      expect((await ledger.get(path, stranger)).status).toBe(404);
    }
    expect((await ledger.get('/ledger/accounts', stranger)).body['data']).toEqual([]);
    const legs = await ledger.get(`/ledger/transactions/${entry?.transactionId ?? ''}`, merchantPrincipal(merchantId));
    const legAccounts = (legs.body['entries'] as readonly { account: string }[]).map(({ account: code }) => code);
    expect(new Set(legAccounts)).toEqual(new Set([`merchant:${merchantId}:payable`]));
  });

  it('is not for the public: its lines are for services', async () => {
    const asked = `/internal/payments/${story.paymentId}/entries`;
    for (const as of [merchantPrincipal(merchantId), ADMIN, LEDGER_CLIENT]) {
      expect(await ledger.get(asked, as)).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    }
  });
});

it('an event that came twice, early or late posts once, in its place', async () => {
  const stories = Array.from({ length: 30 }, (_, index) => {
    const amount = 1_000 + index;
    const story = new PaymentStory(newId('mer')).created(amount).authorized(amount);
    switch (index % 3) {
      case 0:
        return { story: story.canceled(amount), balance: 0, lines: [`AUTH ${amount}`, `AUTH_RELEASE ${amount}`] };
      case 1:
        return {
          story: story
            .captured(400, 10)
            .captured(amount - 400, 20)
            .refunded(100)
            .refunded(50),
          balance: amount - 150,
          lines: [
            `AUTH ${amount}`,
            ...['CAPTURE 400', 'FEE 10', 'AUTH_RELEASE 400'],
            ...[`CAPTURE ${amount - 400}`, 'FEE 20', `AUTH_RELEASE ${amount - 400}`],
            ...['REFUND 100', 'REFUND 50'],
          ],
        };
      default:
        return {
          story: story.captured(500, 0, 500).canceled(amount - 500),
          balance: 500,
          lines: [`AUTH ${amount}`, 'CAPTURE 500', 'AUTH_RELEASE 500', `AUTH_RELEASE ${amount - 500}`],
        };
    }
  });
  await source.emitScrambled(
    stories.flatMap(({ story }) => story.emitted()),
    0.25,
  );
  for (const { story, balance, lines } of stories) {
    const { body } = await entriesOf(story.paymentId, story.events.length);
    expect(body).toMatchObject({ appliedSequence: story.events.length, ledgerBalance: balance });
    expect(linesIn(body)).toEqual(lines);
  }
  const { body } = await ledger.get('/ledger/trial-balance');
  const currencies = body['currencies'] as readonly { balanced: boolean; debits: number; credits: number }[];
  expect(currencies.length).toBeGreaterThan(0);
  for (const { balanced, debits, credits } of currencies) {
    expect(balanced).toBe(true);
    expect(debits).toBe(credits);
  }
}, 60_000);

it('an event that contradicts itself goes to the dead letters, and holds up nobody', async () => {
  const broken = new PaymentStory(newId('mer')).created(500).canceled(500, null);
  const sound = new PaymentStory(newId('mer')).created(700).authorized(700);
  await source.emit([...broken.emitted(), ...sound.emitted()]);
  expect(linesIn((await entriesOf(sound.paymentId, 2)).body)).toEqual(['AUTH 700']);
  await eventually(async () => {
    const { body } = await ledger.get('/operations/dead-letters');
    expect(body['data']).toMatchObject([{ aggregateId: broken.paymentId, consumer: 'ledger.journal', status: 'open' }]);
  });
  expect((await entriesOf(broken.paymentId, 0)).body['entries']).toEqual([]);
}, 30_000);

describe('with the broker gone', () => {
  let cutOff: LedgerUnderTest;
  beforeAll(async () => {
    cutOff = await LedgerUnderTest.start(
      { KAFKA_BROKERS: '127.0.0.1:1', LOG_LEVEL: 'silent', PAYMENT_URL: source.url },
      mint,
    );
  }, 60_000);
  afterAll(async () => {
    await cutOff.stop();
  }, 60_000);

  it('a payment is still read with its entries: the ledger asks the owner for its events', async () => {
    const story = new PaymentStory(newId('mer')).created(900).authorized(900).captured(900, 56);
    await source.emit(story.emitted());
    const { body } = await cutOff.get(`/internal/payments/${story.paymentId}/entries?sequence=3&waitMs=10000`, PAYMENT);
    expect(body).toMatchObject({ appliedSequence: 3, ledgerBalance: 900 });
    expect(linesIn(body)).toEqual(['AUTH 900', 'CAPTURE 900', 'FEE 56', 'AUTH_RELEASE 900']);
  }, 30_000);

  it('what nobody can tell in time is answered with how far it came', async () => {
    const { status, body } = await cutOff.get(
      `/internal/payments/${newId('pay')}/entries?sequence=1&waitMs=100`,
      PAYMENT,
    );
    expect(status).toBe(200);
    expect(body).toEqual({ appliedSequence: 0, ledgerBalance: 0, entries: [] });
  });
});
