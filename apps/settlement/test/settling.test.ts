import { createHash } from 'node:crypto';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PAYOUT_SETTLEMENTS_MAX, WALLET_MERCHANT_ID } from '@payflow/contracts';
import { AMOUNT_MINOR_MAX, canonicalJson, newId } from '@payflow/kernel';
import { eventually, merchantPrincipal } from '@payflow/testing';

import { PaymentStory } from '../../ledger/test/payment-event-source.js';
import { type Fields, FINANCE, IBAN, PATIENT, SettlementUnderTest, START_TIMEOUT_MS } from './settlement-under-test.js';

jest.setTimeout(400_000);

let settlement: SettlementUnderTest;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start({ environment: { PAYOUT_MINIMUMS: '{"EUR":1000}' } });
}, START_TIMEOUT_MS);
afterEach(async () => {
  await settlement.clearBankModes();
});
afterAll(async () => {
  await settlement.stop();
});

const sale = (merchantId: string, amount: number, fee: number, currency = 'USD'): PaymentStory =>
  new PaymentStory(merchantId, currency).created(amount).authorized(amount).captured(amount, fee);

const emit = async (...stories: readonly PaymentStory[]): Promise<void> => {
  await settlement.payments.emit(stories.flatMap((story) => story.emitted()));
};

/** When the ledger has heard of the payments too, which it does in its own time. */
const ledgerSays = async (code: string, balance: number): Promise<void> => {
  await eventually(async () => {
    expect(await settlement.ledgerBalance(code)).toBe(balance);
  }, PATIENT);
};

describe('a settlement', () => {
  it('takes in what is available, net of fees and refunds, pays it out at the bank, and tells of it', async () => {
    const merchantId = await settlement.merchant();
    const stories = [sale(merchantId, 10_000, 320), sale(merchantId, 5_000, 175).refunded(1_000)];
    await emit(...stories);
    expect(await settlement.balance(merchantId)).toEqual([
      { currency: 'USD', pending: 13_505, available: 0, reserved: 0 },
    ]);
    expect(await settlement.settle(merchantId)).toMatchObject({ lineCount: 3, settlementCount: 1, payoutCount: 1 });
    const [batch] = await settlement.list('/settlements', merchantId);
    expect(batch).toMatchObject({
      status: 'COMPLETED',
      acquirer: 'sim',
      lineCount: 3,
      gross: 15_000,
      refunds: 1_000,
      disputes: 0,
      fees: 495,
      reserved: 0,
      net: 13_505,
    });
    const payout = await settlement.payoutIn(merchantId, 'PAID');
    expect(payout).toMatchObject({
      payoutId: batch?.['payoutId'],
      amount: 13_505,
      settlementIds: [batch?.['settlementId']],
      bankAccount: 'GB••0001',
      bankReference: expect.any(String),
      reason: null,
    });
    expect(await settlement.bankBook(payout['payoutId'])).toMatchObject([
      { kind: 'CREDIT', amount: 13_505, account: IBAN.paid },
    ]);
    expect(await settlement.balance(merchantId)).toEqual([{ currency: 'USD', pending: 0, available: 0, reserved: 0 }]);
    expect(await settlement.posted(merchantId)).toEqual(['PAYOUT', 'PAYOUT_PAID']);
    await ledgerSays(`merchant:${merchantId}:payable`, 0);

    const lines = await settlement
      .list(`/settlements/${String(batch?.['settlementId'])}/lines`, merchantId)
      .catch(
        async () =>
          (await settlement.get(`/settlements/${String(batch?.['settlementId'])}/lines?limit=100`, FINANCE)).body[
            'data'
          ] as readonly { readonly paymentId: string; readonly net: number }[],
      );
    expect(lines).toHaveLength(3);
    const told = await settlement.told(String(batch?.['settlementId']));
    expect(told.map(({ topic }) => topic.replace(/^.*\.settlement\./, 'settlement.'))).toEqual([
      'settlement.lines',
      'settlement.completed',
    ]);
    expect(told[0]?.payload['lines']).toHaveLength(3);
    expect(told[1]?.payload).toMatchObject({ net: 13_505, payoutId: payout['payoutId'], lineCount: 3 });
    const ofPayout = await settlement.told(payout['payoutId']);
    expect(ofPayout.map(({ payload }) => String(payload['status']))).toEqual(['PENDING', 'PAID']);
  });

  it('is made by currency, each with its own payout, in yen and dinars as in dollars', async () => {
    const merchantId = await settlement.merchant();
    await emit(sale(merchantId, 1_000, 30), sale(merchantId, 700, 20, 'JPY'), sale(merchantId, 12_345, 358, 'BHD'));
    await settlement.settle(merchantId);
    const batches = await settlement.list('/settlements', merchantId);
    expect(batches.map(({ currency, net }) => [String(currency), Number(net)]).toSorted()).toEqual([
      ['BHD', 11_987],
      ['JPY', 680],
      ['USD', 970],
    ]);
    await eventually(async () => {
      const payouts = await settlement.list('/payouts', merchantId);
      expect(
        payouts.map(({ currency, amount, status }) => [String(currency), Number(amount), String(status)]).toSorted(),
      ).toEqual([
        ['BHD', 11_987, 'PAID'],
        ['JPY', 680, 'PAID'],
        ['USD', 970, 'PAID'],
      ]);
    });
  });

  it('carries over what is too little, and pays it with the next', async () => {
    const merchantId = await settlement.merchant();
    await emit(sale(merchantId, 900, 0, 'EUR'));
    expect(await settlement.settle(merchantId)).toMatchObject({ settlementCount: 1, payoutCount: 0 });
    expect(await settlement.balance(merchantId)).toEqual([
      { currency: 'EUR', pending: 0, available: 900, reserved: 0 },
    ]);
    await emit(sale(merchantId, 100, 0, 'EUR'));
    expect(await settlement.settle(merchantId)).toMatchObject({ settlementCount: 1, payoutCount: 1 });
    const payout = await settlement.payoutIn(merchantId, 'PAID');
    expect(payout).toMatchObject({ amount: 1_000 });
    expect(payout['settlementIds']).toHaveLength(2);
  });

  it('that nets less than nothing leaves a debt, which the next pays first', async () => {
    const merchantId = await settlement.merchant();
    const returned = sale(merchantId, 1_000, 30).refunded(1_000);
    await emit(returned);
    expect(await settlement.settle(merchantId)).toMatchObject({ payoutCount: 0 });
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ pending: 0, available: -30 });
    await emit(sale(merchantId, 500, 20));
    await settlement.settle(merchantId);
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ amount: 450 });
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ pending: 0, available: 0 });
  });

  it('of one merchant that is too large to be told of delays nobody else', async () => {
    const merchantId = await settlement.merchant();
    const other = await settlement.merchant();
    // A hundred of the largest sales come to more than a JSON number holds.
    await emit(
      ...Array.from({ length: 100 }, () => sale(merchantId, Number(AMOUNT_MINOR_MAX), 0)),
      sale(other, 700, 0),
    );
    await eventually(async () => {
      expect(await settlement.balance(merchantId)).toMatchObject([{ pending: Number(AMOUNT_MINOR_MAX * 100n) }]);
      expect(await settlement.balance(other)).toMatchObject([{ pending: 700 }]);
    });
    const { body } = await settlement.post('/settlements/run', {});
    await settlement.runDone(body['runId']);
    expect(await settlement.payoutIn(other, 'PAID')).toMatchObject({ amount: 700 });
    const [batch] = await settlement.list('/settlements', merchantId);
    expect(batch).toMatchObject({ status: 'COMPLETED', lineCount: 22, gross: Number(AMOUNT_MINOR_MAX * 22n) });
    // The rest is the next run's.
    expect(await settlement.settle(merchantId)).toMatchObject({ lineCount: 22 });
  });

  it('names no more batches with a payout than an event holds, and each batch its payout', async () => {
    const merchantId = await settlement.merchant();
    await emit(sale(merchantId, 999, 0, 'EUR'));
    const { runId } = await settlement.settle(merchantId);
    // As if it had been below the minimum for years.
    await settlement.database.execute(
      `INSERT INTO settlements (id, run_id, merchant_id, acquirer, currency, bank, status, cutoff_at, completed_at)
       SELECT 'set_' || lpad(n::text, 26, '0'), $1, $2, 'old-' || n, 'EUR', 'sim', 'COMPLETED', now(), now()
         FROM generate_series(1, $3::int) AS n`,
      [runId, merchantId, PAYOUT_SETTLEMENTS_MAX],
    );
    await emit(sale(merchantId, 1, 0, 'EUR'));
    await settlement.settle(merchantId);
    const { payoutId, settlementIds } = await settlement.payoutIn(merchantId, 'PAID');
    expect(settlementIds).toHaveLength(PAYOUT_SETTLEMENTS_MAX);
    const [paid] = await settlement.database.query<{ batches: bigint }>(
      'SELECT count(*) AS batches FROM settlements WHERE payout_id = $1',
      [payoutId],
    );
    expect(paid?.batches).toBe(BigInt(PAYOUT_SETTLEMENTS_MAX + 2));
  });

  it('takes only what was there by the cut-off', async () => {
    // The day's own run takes what is so old too: it is over before there is any.
    for (const job of settlement.jobs()) await job.tick();
    await eventually(async () => {
      const waiting = await settlement.database.query(`SELECT FROM settlement_runs WHERE phase <> 'DONE'`);
      expect(waiting).toEqual([]);
    }, PATIENT);
    const merchantId = await settlement.merchant();
    await settlement.payments.emit(sale(merchantId, 1_000, 30).emitted(new Date('2026-01-01T00:00:00Z')));
    await emit(sale(merchantId, 2_000, 60));
    const run = await settlement.settle(merchantId, { cutoff: '2026-01-02T00:00:00.000Z' });
    expect(run).toMatchObject({ lineCount: 1, cutoffAt: '2026-01-02T00:00:00.000Z' });
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ pending: 1_940 });
  });

  it('of PayFlow’s own merchant is made, and nothing is paid out for it', async () => {
    await emit(sale(WALLET_MERCHANT_ID, 4_000, 0));
    // It has no balance, and whoever asks for it waits all the same until its payments are known.
    expect(await settlement.balance(WALLET_MERCHANT_ID)).toEqual([]);
    const { body } = await settlement.post('/settlements/run', {});
    await settlement.runDone(body['runId']);
    await eventually(async () => {
      expect(await settlement.list('/settlements', WALLET_MERCHANT_ID)).toMatchObject([{ net: 4_000, payoutId: null }]);
    });
    expect(await settlement.list('/payouts', WALLET_MERCHANT_ID)).toEqual([]);
  });

  it('tells all lines of a payment in one event, however many events it takes', async () => {
    const merchantId = await settlement.merchant();
    const stories = Array.from({ length: 150 }, () => sale(merchantId, 1_000, 30).refunded(100).refunded(50));
    await emit(...stories);
    // On a busy machine that takes longer than a request waits.
    await eventually(async () => await settlement.balance(merchantId));
    await settlement.settle(merchantId);
    const [batch] = await settlement.list('/settlements', merchantId);
    const told = await settlement.told(String(batch?.['settlementId']));
    const lines = told.flatMap(({ payload }) =>
      payload['lines'] === undefined ? [] : [payload['lines'] as readonly Fields[]],
    );
    expect(lines.flat()).toHaveLength(450);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(200);
    const eventsOf = new Map<string, Set<number>>();
    for (const [index, own] of lines.entries())
      for (const { paymentId } of own)
        eventsOf.set(String(paymentId), (eventsOf.get(String(paymentId)) ?? new Set<number>()).add(index));
    expect([...eventsOf.values()].every(({ size }) => size === 1)).toBe(true);
    expect(eventsOf.size).toBe(150);
  });
});

describe('a payout', () => {
  const due = async (iban: string | undefined, amount = 5_000): Promise<string> => {
    const merchantId = iban === undefined ? newId('mer') : await settlement.merchant(iban);
    await emit(sale(merchantId, amount, 0));
    await settlement.settle(merchantId);
    return merchantId;
  };

  it.each<[string, string, string, string | null, number, readonly string[]]>([
    ['is accepted and paid later', IBAN.accepted, 'PAID', null, 0, ['CREDIT']],
    ['is refused by the bank', IBAN.closed, 'FAILED', 'AC04', 5_000, []],
    ['times out with effect', IBAN.silentWithEffect, 'PAID', null, 0, ['CREDIT']],
    ['times out without effect', IBAN.silentWithoutEffect, 'PAID', null, 0, ['CREDIT']],
    ['comes back', IBAN.returned, 'RETURNED', 'AC04', 5_000, ['RETURN', 'CREDIT']],
  ])('that %s (%s) ends %s, once', async (_, iban, status, reason, available, book) => {
    const merchantId = await due(iban);
    const payout = await settlement.payoutIn(merchantId, status);
    expect(payout).toMatchObject({ reason, attention: null });
    expect((await settlement.bankBook(payout['payoutId'])).map(({ kind }) => kind)).toEqual(book);
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ pending: 0, available });
    await ledgerSays(`merchant:${merchantId}:payable`, available);
    expect(await settlement.list('/payouts', merchantId)).toHaveLength(1);
  });

  it('that comes back long after it was paid is reversed in the ledger, and told', async () => {
    const merchantId = await due(IBAN.paid);
    const { payoutId } = await settlement.payoutIn(merchantId, 'PAID');
    await settlement.returnPayout(payoutId);
    expect(await settlement.payoutIn(merchantId, 'RETURNED')).toMatchObject({ reason: 'AC04' });
    expect(await settlement.posted(merchantId)).toEqual(['PAYOUT', 'PAYOUT_PAID', 'PAYOUT_RETURN']);
    const told = await settlement.told(payoutId);
    expect(told.map(({ payload }) => String(payload['status']))).toEqual(['PENDING', 'PAID', 'RETURNED']);
    const transactions = await settlement.list('/balance/transactions', merchantId);
    const types = transactions.map(({ type, net }) => [String(type), Number(net)]);
    expect(types).toEqual([
      ['payout_return', 5_000],
      ['payout', -5_000],
      ['capture', 5_000],
    ]);
  });

  it('waits for an account, says so, and goes when there is one', async () => {
    const merchantId = await due(undefined);
    await eventually(async () => {
      expect(await settlement.list('/payouts', merchantId)).toMatchObject([
        { status: 'PENDING', reason: 'payout_account_missing' },
      ]);
    });
    await settlement.put(`/merchants/${merchantId}/payout-account`, { iban: IBAN.paid, name: 'Ada' });
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ reason: null });
  });

  it('that waits is judged when it goes: a merchant in debt by then is paid what is left', async () => {
    const merchantId = newId('mer');
    await emit(sale(merchantId, 5_000, 0));
    await settlement.settle(merchantId);
    await emit(sale(merchantId, 1_000, 300).refunded(1_000));
    await settlement.settle(merchantId);
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ pending: 0, available: -300 });
    await settlement.put(`/merchants/${merchantId}/payout-account`, { iban: IBAN.paid, name: 'Ada' });
    const failed = await settlement.payoutIn(merchantId, 'FAILED');
    expect(failed).toMatchObject({ amount: 5_000, reason: 'merchant_in_debt' });
    expect(await settlement.bankBook(failed['payoutId'])).toEqual([]);
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ available: 4_700 });
    await settlement.settle(merchantId);
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ amount: 4_700 });
    expect(await settlement.posted(merchantId)).toEqual(['PAYOUT', 'PAYOUT_PAID']);
  });

  it('is not believed to be paid by a feed that tells of another amount: people are told', async () => {
    await settlement.setBankMode({ mode: 'unavailable', operation: 'feed' });
    const merchantId = await due(undefined);
    const [waiting] = await settlement.list('/payouts', merchantId);
    const payoutId = String(waiting?.['payoutId']);
    await settlement.payAtBank({ reference: payoutId, amount: 1, iban: IBAN.paid });
    await settlement.put(`/merchants/${merchantId}/payout-account`, { iban: IBAN.paid, name: 'Ada' });
    await settlement.payoutIn(merchantId, 'IN_TRANSIT');
    await settlement.clearBankModes();
    await eventually(async () => {
      expect((await settlement.list('/payouts', merchantId))[0]).toMatchObject({
        status: 'IN_TRANSIT',
        attention: expect.stringContaining('PAID of 1 USD'),
      });
    });
    expect(await settlement.posted(merchantId)).toEqual(['PAYOUT']);
  });

  it('that the bank contradicts stops, until people take it up, who are written down', async () => {
    const merchantId = await due(IBAN.closed);
    const { payoutId } = await settlement.payoutIn(merchantId, 'FAILED');
    const takeUp = async (body: Fields, as = FINANCE) =>
      await settlement.post(`/payouts/${payoutId}/take-up`, body, as);
    const reason = 'The bank has confirmed it.';
    expect((await takeUp({ reason })).body['code']).toBe('payout_needs_nobody');
    // It was refused, and given back; now the bank's feed has it paid.
    await settlement.changeAtBank(payoutId, 'PAID');
    await eventually(async () => {
      expect((await settlement.list('/payouts', merchantId))[0]).toMatchObject({
        status: 'FAILED',
        attention: 'the bank says PAID of a payout that is REVERSED',
      });
    });
    expect((await takeUp({ reason, outcome: 'PAID' }, merchantPrincipal(merchantId))).status).toBe(403);
    const taken = await takeUp({ reason, outcome: 'PAID' });
    expect([taken.status, taken.body]).toMatchObject([200, { status: 'IN_TRANSIT', attention: null, endedAt: null }]);
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ attention: null, endedAt: null });
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ available: 0 });
    await ledgerSays(`merchant:${merchantId}:payable`, 0);
    expect(await settlement.posted(merchantId)).toEqual(['PAYOUT', 'PAYOUT_REVERSAL', 'PAYOUT', 'PAYOUT_PAID']);
    const told = await settlement.told(payoutId);
    expect(told.map(({ payload }) => String(payload['status']))).toEqual(['PENDING', 'FAILED', 'PAID']);
    const { body } = await settlement.get(`/payouts/${payoutId}/decisions`, FINANCE);
    expect(body['data']).toMatchObject([
      { attention: expect.stringContaining('REVERSED'), outcome: 'PAID', reason, decidedBy: FINANCE.id },
    ]);
  });

  it('that goes by the bank’s API is ordered by no file', async () => {
    const merchantId = await settlement.merchant();
    await emit(sale(merchantId, 9_000, 100));
    const { runId } = await settlement.settle(merchantId);
    const file = async (id: unknown) => await settlement.get(`/settlements/runs/${String(id)}/payout-file`, FINANCE);
    expect([(await file(runId)).status, (await file(runId)).body['code']]).toEqual([409, 'payouts_go_by_api']);
    await settlement.payoutIn(merchantId, 'PAID');
    expect((await file(runId)).body['code']).toBe('payouts_go_by_api');
    expect((await file(newId('srn'))).status).toBe(404);
  });

  it('goes out when the bank is back', async () => {
    await settlement.setBankMode({ mode: 'unavailable' });
    const merchantId = await due(IBAN.paid);
    await settlement.payoutIn(merchantId, 'IN_TRANSIT');
    await settlement.clearBankModes();
    const { payoutId } = await settlement.payoutIn(merchantId, 'PAID');
    expect(await settlement.bankBook(payoutId)).toHaveLength(1);
  });
});

describe('a reserve', () => {
  it('keeps back its part of a batch, and lets it go after its days', async () => {
    const merchantId = await settlement.merchant();
    const rule = { basisPoints: 1_000, days: 7 };
    expect(await settlement.put(`/merchants/${merchantId}/reserve-rule`, rule)).toMatchObject({ status: 200 });
    await emit(sale(merchantId, 10_005, 0));
    await settlement.settle(merchantId);
    // 1000.5, ties to even.
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ available: 0, reserved: 1_000 });
    expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ amount: 9_005 });
    expect(await settlement.list('/settlements', merchantId)).toMatchObject([{ reserved: 1_000, net: 9_005 }]);
    await eventually(async () => {
      expect(await settlement.ledgerBalance(`merchant:${merchantId}:reserve`)).toBe(1_000);
    });
    await settlement.database.execute(
      `UPDATE reserves SET release_on = now() - interval '1 s' WHERE merchant_id = $1`,
      [merchantId],
    );
    await eventually(async () => {
      expect((await settlement.balance(merchantId))[0]).toMatchObject({ available: 1_000, reserved: 0 });
      expect(await settlement.ledgerBalance(`merchant:${merchantId}:reserve`)).toBe(0);
    });
    await ledgerSays(`merchant:${merchantId}:payable`, 1_000);
  });
});

it('keeps balances that are the sums of their transactions', async () => {
  const wrong = await settlement.database.query(`
    SELECT b.* FROM merchant_balances b JOIN (
      SELECT merchant_id, currency,
             coalesce(sum(net_minor) FILTER (WHERE acquirer IS NOT NULL AND settlement_id IS NULL), 0) AS pending,
             coalesce(sum(net_minor) FILTER (WHERE acquirer IS NULL OR settlement_id IS NOT NULL), 0) AS available,
             coalesce(-sum(net_minor) FILTER (WHERE type IN ('reserve', 'reserve_release')), 0) AS reserved
        FROM balance_transactions GROUP BY 1, 2) s USING (merchant_id, currency)
     WHERE (b.pending_minor, b.available_minor, b.reserved_minor) IS DISTINCT FROM (s.pending, s.available, s.reserved)`);
  expect(wrong).toEqual([]);
});

it('keeps nothing of an account from which its number could be guessed', async () => {
  const merchantId = newId('mer');
  const key = newId('req');
  const body = { iban: IBAN.paid, name: 'Ada' };
  const path = `/merchants/${merchantId}/payout-account`;
  const set = async (asked: Fields) => await settlement.put(path, asked, FINANCE, { 'idempotency-key': key });
  expect((await set(body)).status).toBe(200);
  expect((await set(body)).headers['idempotent-replayed']).toBe('true');
  expect((await set({ ...body, iban: IBAN.closed })).body['code']).toBe('idempotency_key_reused');
  const [row] = await settlement.database.query<{ hash: Buffer }>(
    'SELECT request_hash AS hash FROM idempotency_keys WHERE key = $1',
    [key],
  );
  const guessed = createHash('sha256')
    .update(canonicalJson({ path, query: {}, body }))
    .digest();
  expect(row?.hash.equals(guessed)).toBe(false);
});

describe('what belongs to a merchant', () => {
  it('is seen by him and by staff, and by nobody else', async () => {
    const merchantId = await settlement.merchant();
    await emit(sale(merchantId, 1_000, 0));
    await settlement.settle(merchantId);
    const [batch] = await settlement.list('/settlements', merchantId);
    const { payoutId } = await settlement.payoutIn(merchantId, 'PAID');
    const own = merchantPrincipal(merchantId);
    const other = merchantPrincipal(newId('mer'));
    for (const path of [
      `/settlements/${String(batch?.['settlementId'])}`,
      `/settlements/${String(batch?.['settlementId'])}/lines`,
      `/payouts/${String(payoutId)}`,
      `/merchants/${merchantId}/payout-account`,
      `/merchants/${merchantId}/reserve-rule`,
    ]) {
      expect([path, (await settlement.get(path, own)).status]).toEqual([path, 200]);
      expect([path, (await settlement.get(path, FINANCE)).status]).toEqual([path, 200]);
      expect([path, (await settlement.get(path, other)).status]).toEqual([path, 404]);
    }
    for (const path of ['/settlements', '/payouts']) {
      expect((await settlement.get(path, own)).body['data']).toHaveLength(1);
      expect((await settlement.get(path, other)).body['data']).toEqual([]);
      expect((await settlement.get(`${path}?merchantId=${merchantId}`, other)).status).toBe(404);
    }
    expect((await settlement.post('/settlements/run', {}, own)).status).toBe(403);
  });
});
