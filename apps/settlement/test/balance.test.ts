import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually, merchantPrincipal, userPrincipal } from '@payflow/testing';

import { PaymentStory } from '../../ledger/test/payment-event-source.js';
import { FINANCE, IBAN, SettlementUnderTest, START_TIMEOUT_MS, UNKNOWN_MERCHANT } from './settlement-under-test.js';

jest.setTimeout(400_000);

let settlement: SettlementUnderTest;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start({ instances: 2 });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await settlement.stop();
});

const captured = (merchantId: string, amount: number, fee: number, currency = 'USD'): PaymentStory =>
  new PaymentStory(merchantId, currency).created(amount).authorized(amount).captured(amount, fee);

describe('the balance of a merchant', () => {
  it('holds each payment as soon as that was answered, without anybody waiting for it, at each instance', async () => {
    const merchantId = newId('mer');
    let expected = 0;
    for (let round = 1; round <= 10; round += 1) {
      await settlement.payments.emit(captured(merchantId, 1_000 + round, 30).emitted());
      expected += 970 + round;
      const { status, body } = await settlement.heard('/balance', merchantPrincipal(merchantId), round % 2);
      expect({ status, data: body['data'] as unknown }).toEqual({
        status: 200,
        data: [{ currency: 'USD', pending: expected, available: 0, reserved: 0 }],
      });
    }
  });

  it('counts each event once, however often and in whatever order it comes, and agrees with the ledger', async () => {
    const merchantId = newId('mer');
    const stories = Array.from({ length: 40 }, (_, index) => captured(merchantId, 1_000 + index, 30).refunded(100));
    await settlement.payments.emitScrambled(
      stories.flatMap((story) => story.emitted()),
      0.42,
    );
    const total = stories.reduce((sum, _, index) => sum + 1_000 + index - 30 - 100, 0);
    await eventually(async () => {
      expect(await settlement.balance(merchantId)).toMatchObject([{ pending: total }]);
    });
    await eventually(async () => {
      expect(await settlement.ledgerBalance(`merchant:${merchantId}:payable`)).toBe(total);
    });
    expect(await settlement.list('/balance/transactions', merchantId)).toHaveLength(80);
  });

  it('of one who was never paid is empty', async () => {
    expect(await settlement.heard('/balance', merchantPrincipal(newId('mer')))).toMatchObject({
      status: 200,
      body: { data: [] },
    });
  });

  it('is his alone', async () => {
    const merchantId = newId('mer');
    for (const path of ['/balance', '/balance/transactions']) {
      const other = await settlement.get(`${path}?merchantId=${merchantId}`, merchantPrincipal(newId('mer')));
      expect(other).toMatchObject({ status: 404, body: { code: 'merchant_not_found' } });
      expect(await settlement.get(path, userPrincipal('usr_1'))).toMatchObject({
        status: 422,
        body: { code: 'merchant_required' },
      });
      expect(await settlement.get(path, FINANCE)).toMatchObject({ status: 422, body: { code: 'merchant_required' } });
      expect((await settlement.get(`${path}?colour=red`, merchantPrincipal(merchantId))).status).toBe(400);
    }
  });
});

describe('what changed it', () => {
  it('is listed newest first, page by page, with gross, fee and net that add up to the balance', async () => {
    const merchantId = newId('mer');
    const stories = Array.from({ length: 6 }, (_, index) =>
      captured(merchantId, 1_000 + index, 30 + index).refunded(100),
    );
    for (const story of stories) await settlement.payments.emit(story.emitted());
    const as = merchantPrincipal(merchantId);
    const rows: Record<string, unknown>[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await settlement.heard(
        `/balance/transactions?limit=5${cursor === null ? '' : `&cursor=${cursor}`}`,
        as,
      );
      rows.push(...(body['data'] as typeof rows));
      cursor = body['nextCursor'] as string | null;
    } while (cursor !== null);
    const ids = rows.map((row) => String(row['balanceTransactionId']));
    expect(ids).toEqual([...new Set(ids)].toSorted().toReversed());
    expect(rows).toHaveLength(12);
    const ofFirst = rows.filter((row) => row['paymentId'] === stories[0]?.paymentId);
    expect(ofFirst).toMatchObject([
      { type: 'refund', gross: -100, fee: 0, net: -100, acquirer: 'sim', settlementId: null },
      { type: 'capture', gross: 1_000, fee: 30, net: 970, reference: expect.stringMatching(/^cap_/) },
    ]);
    const sum = rows.reduce((total, row) => total + Number(row['net']), 0);
    expect(await settlement.balance(merchantId)).toMatchObject([{ pending: sum }]);
  });
});

describe('two instances', () => {
  it('asked at once for two runs make them one after the other, and take each line once', async () => {
    const merchantId = await settlement.merchant();
    const stories = Array.from({ length: 30 }, () => captured(merchantId, 1_000, 30));
    await settlement.payments.emit(stories.flatMap((story) => story.emitted()));
    await settlement.balance(merchantId);
    const runs = await Promise.all([settlement.settle(merchantId), settlement.settle(merchantId)]);
    expect(runs.map(({ lineCount }) => Number(lineCount)).toSorted()).toEqual([0, 30]);
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ amount: 29_100 });
    expect(await settlement.list('/settlements', merchantId)).toHaveLength(1);
  });

  it('that tick in the same minute ask for one run', async () => {
    await Promise.all(settlement.jobs().map(async (job) => await job.tick()));
    await Promise.all(settlement.jobs().map(async (job) => await job.tick()));
    const rows = await settlement.database.query('SELECT FROM settlement_runs WHERE scheduled_for IS NOT NULL');
    expect(rows).toHaveLength(1);
  });
});

describe('a merchant’s terms', () => {
  it('are refused where the account cannot be, nobody is meant, or another has changed them', async () => {
    const merchantId = newId('mer');
    const path = `/merchants/${merchantId}/payout-account`;
    expect(await settlement.get(path, FINANCE)).toMatchObject({
      status: 404,
      body: { code: 'payout_account_not_found' },
    });
    expect(await settlement.put(path, { iban: 'GB58PAYF00000100000001', name: 'Ada' })).toMatchObject({
      status: 422,
      body: { code: 'bank_account_invalid' },
    });
    expect((await settlement.put(path, { iban: IBAN.paid, name: 'Ada', bic: 'X' })).status).toBe(400);
    const unknown = await settlement.put(`/merchants/${UNKNOWN_MERCHANT}/payout-account`, {
      iban: IBAN.paid,
      name: 'A',
    });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'merchant_not_found' } });
    const set = await settlement.put(path, { iban: 'gb57 payf 0000 0100 0000 01', name: 'Ada' });
    expect([set.status, set.body['iban'], set.headers['etag']]).toEqual([200, 'GB••0001', '"1"']);
    const stale = await settlement.put(path, { iban: IBAN.accepted, name: 'Ada' }, FINANCE, { 'if-match': '"7"' });
    expect(stale).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    const rule = `/merchants/${merchantId}/reserve-rule`;
    expect((await settlement.get(rule, FINANCE)).body).toEqual({ merchantId, basisPoints: 0, days: 0 });
    expect((await settlement.put(rule, { basisPoints: 10_001, days: 1 })).status).toBe(400);
    expect((await settlement.put(rule, { basisPoints: 500, days: 30 }, merchantPrincipal(merchantId))).status).toBe(
      403,
    );
  });

  it('keep the account sealed', async () => {
    const merchantId = await settlement.merchant();
    const [row] = await settlement.database.query<{ sealed: Buffer }>(
      'SELECT sealed FROM payout_accounts WHERE merchant_id = $1',
      [merchantId],
    );
    expect(row?.sealed.includes(Buffer.from(IBAN.paid))).toBe(false);
  });

  it('a run that is asked for twice with one key is one', async () => {
    const key = newId('req');
    const merchantId = newId('mer');
    const [first, again] = [
      await settlement.post('/settlements/run', { merchantId }, FINANCE, key),
      await settlement.post('/settlements/run', { merchantId }, FINANCE, key),
    ];
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([first.body, 'true']);
  });
});

it('is not told rather than told stale when nobody can say what was not heard of', async () => {
  const alone = await SettlementUnderTest.start({
    environment: { PAYMENT_URL: 'http://127.0.0.1:1', LOG_LEVEL: 'silent' },
    hears: false,
  });
  const answer = await alone.get('/balance', merchantPrincipal(newId('mer')));
  await alone.stop();
  expect(answer).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
  expect(answer.headers['retry-after']).toBe('1');
});
