import { newId } from '@payflow/kernel';
import { eventually, merchantPrincipal, servicePrincipal, testKafka, TokenMint, userPrincipal } from '@payflow/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ADMIN, type Answered, LedgerUnderTest, move } from './ledger-under-test.js';
import { PaymentEventSource, PaymentStory } from './payment-event-source.js';

const prefix = `ledger-balance-${process.pid}-${newId('req').slice(-8)}.`;

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
  ledger = await LedgerUnderTest.start({ KAFKA_TOPIC_PREFIX: prefix, PAYMENT_URL: source.url }, mint);
  // It takes its consumer some seconds to join its group; until then there is no balance.
  await source.emit(captured(newId('mer'), 1, 0).emitted());
  await eventually(async () => {
    expect((await ledger.get('/balance', merchantPrincipal(newId('mer')))).status).toBe(200);
  });
}, 60_000);
afterAll(async () => {
  await ledger.stop();
  await source.stop();
  await mint.close();
}, 60_000);

const captured = (merchantId: string, amount: number, fee: number, currency = 'USD'): PaymentStory =>
  new PaymentStory(merchantId, currency).created(amount).authorized(amount).captured(amount, fee);

describe('the balance of a merchant', () => {
  it('holds each payment as soon as that was answered, without anybody waiting for it', async () => {
    const merchantId = newId('mer');
    let expected = 0;
    for (let round = 1; round <= 10; round += 1) {
      await source.emit(captured(merchantId, 1_000 + round, 30).emitted());
      expected += 970 + round;
      const { status, body } = await ledger.get('/balance', merchantPrincipal(merchantId));
      expect({ status, data: body['data'] }).toEqual({
        status: 200,
        data: [{ currency: 'USD', pending: expected, available: 0, reserved: 0 }],
      });
    }
  }, 60_000);

  it('is told by currency, with what is kept back beside it', async () => {
    const merchantId = newId('mer');
    await source.emit([
      ...captured(merchantId, 5_000, 175).refunded(500).emitted(),
      ...captured(merchantId, 700, 20, 'EUR').emitted(),
    ]);
    await ledger.get('/balance', merchantPrincipal(merchantId));
    const reserve = `merchant:${merchantId}:reserve`;
    const kept = {
      reference: `reserve:${merchantId}`,
      type: 'RESERVE',
      postings: [move(`merchant:${merchantId}:payable`, reserve, 1_000)],
      accounts: [{ code: reserve, currency: 'USD', floor: 0 }],
    };
    await ledger.post('/internal/ledger/postings', { postings: [kept] }, { as: servicePrincipal('settlement') });
    expect((await ledger.get('/balance', merchantPrincipal(merchantId))).body['data']).toEqual([
      { currency: 'EUR', pending: 680, available: 0, reserved: 0 },
      { currency: 'USD', pending: 3_325, available: 0, reserved: 1_000 },
    ]);
    expect((await ledger.get(`/balance?merchantId=${merchantId}`, ADMIN)).body['data']).toHaveLength(2);
  });

  it('of one who was never paid is empty', async () => {
    expect(await ledger.get('/balance', merchantPrincipal(newId('mer')))).toMatchObject({
      status: 200,
      body: { data: [] },
    });
  });

  it('is his alone', async () => {
    const merchantId = newId('mer');
    for (const path of ['/balance', '/balance/transactions']) {
      const other = await ledger.get(`${path}?merchantId=${merchantId}`, merchantPrincipal(newId('mer')));
      expect(other).toMatchObject({ status: 404, body: { code: 'merchant_not_found' } });
      expect(await ledger.get(path, userPrincipal('usr_1'))).toMatchObject({
        status: 422,
        body: { code: 'merchant_required' },
      });
      expect(await ledger.get(path, ADMIN)).toMatchObject({ status: 422, body: { code: 'merchant_required' } });
      expect(await ledger.ask('GET', path)).toMatchObject({ status: 401 });
      expect((await ledger.get(`${path}?colour=red`, merchantPrincipal(merchantId))).status).toBe(400);
    }
  });
});

describe('what changed it', () => {
  it('is listed newest first, page by page, with gross, fee and net that add up to the balance', async () => {
    const merchantId = newId('mer');
    const stories = Array.from({ length: 6 }, (_, index) =>
      captured(merchantId, 1_000 + index, 30 + index).refunded(100),
    );
    for (const story of stories) await source.emit(story.emitted());
    const euros = captured(merchantId, 900, 0, 'EUR');
    await source.emit(euros.emitted());
    const as = merchantPrincipal(merchantId);
    const rows: Record<string, unknown>[] = [];
    let cursor: string | null = null;
    do {
      const { body }: Answered = await ledger.get(
        `/balance/transactions?limit=5${cursor === null ? '' : `&cursor=${cursor}`}`,
        as,
      );
      rows.push(...(body['data'] as typeof rows));
      cursor = body['nextCursor'] as string | null;
    } while (cursor !== null);
    expect(rows).toHaveLength(13);
    expect(new Set(rows.map((row) => row['transactionId'])).size).toBe(13);
    const times = rows.map((row) => String(row['createdAt']));
    expect(times).toEqual(times.toSorted().toReversed());
    // Payments of one moment reach the journal in any order.
    expect(rows.filter((row) => row['currency'] === 'EUR')).toEqual([
      {
        transactionId: expect.stringMatching(/^ltx_/),
        type: 'CAPTURE',
        currency: 'EUR',
        gross: 900,
        fee: 0,
        net: 900,
        paymentId: euros.paymentId,
        createdAt: expect.any(String),
        availableOn: null,
      },
    ]);
    const ofFirst = rows.filter((row) => row['paymentId'] === stories[0]?.paymentId);
    expect(ofFirst.map(({ type, gross, fee, net }) => [type, gross, fee, net])).toEqual([
      ['REFUND', -100, 0, -100],
      ['CAPTURE', 1_000, 30, 970],
    ]);
    const dollars = (await ledger.get('/balance/transactions?currency=USD&limit=100', as)).body['data'] as typeof rows;
    const sum = dollars.reduce((total, row) => total + Number(row['net']), 0);
    const { body } = await ledger.get('/balance', as);
    expect(body['data']).toMatchObject([
      { currency: 'EUR', pending: 900 },
      { currency: 'USD', pending: sum },
    ]);
  }, 60_000);
});

it('waits for payments that Kafka has not got yet, and for nobody else’s', async () => {
  const own = `${prefix}unsent.`;
  // A payment service whose events do not get out, and a ledger that hears nothing of them.
  const silent = await PaymentEventSource.start({
    AUTH_URL: mint.url,
    ISSUER: mint.url,
    KAFKA_BROKERS: '127.0.0.1:1',
    KAFKA_TOPIC_PREFIX: own,
  });
  const deaf = await LedgerUnderTest.start(
    { KAFKA_TOPIC_PREFIX: own, PAYMENT_URL: silent.url, LOG_LEVEL: 'silent' },
    mint,
  );
  try {
    const merchantId = newId('mer');
    await silent.emit(captured(merchantId, 1_000, 30).emitted());
    await eventually(async () => {
      expect((await deaf.get('/balance', merchantPrincipal(newId('mer')))).status).toBe(200);
    });
    expect(await deaf.get('/balance', merchantPrincipal(merchantId))).toMatchObject({
      status: 503,
      body: { code: 'dependency_unavailable' },
    });
  } finally {
    await deaf.stop();
    await silent.stop();
  }
}, 60_000);

describe('when nobody can tell what the journal has not heard of', () => {
  it.each([
    ['because payment does not answer', { PAYMENT_URL: 'http://127.0.0.1:1' }],
    ['because Kafka does not answer', { KAFKA_BROKERS: '127.0.0.1:1' }],
  ])(
    'there is no balance rather than a stale one: %s',
    async (_, missing) => {
      const alone = await LedgerUnderTest.start(
        { KAFKA_TOPIC_PREFIX: prefix, PAYMENT_URL: source.url, LOG_LEVEL: 'silent', ...missing },
        mint,
      );
      const answer = await alone.get('/balance', merchantPrincipal(newId('mer')));
      await alone.stop();
      expect(answer).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
      expect(answer.headers['retry-after']).toBe('1');
    },
    60_000,
  );
});
