import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';

import { PaymentStory } from '../../ledger/test/payment-event-source.js';
import { type Fields, IBAN, PATIENT, SettlementUnderTest, START_TIMEOUT_MS } from './settlement-under-test.js';

jest.setTimeout(900_000);

const MERCHANTS = 12;
const SALES = 25;
/** So that a run takes many chunks, which begin and end within a merchant. */
const CHUNK_LINES = 40;

/** The instance in this process only listens and answers: those that settle are the ones that die. */
let settlement: SettlementUnderTest;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start({
    environment: { SETTLEMENT_CHUNK_LINES: String(CHUNK_LINES) },
  });
  await settlement.rest();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await settlement.stop();
});

const sellEverywhere = async (): Promise<ReadonlyMap<string, number>> => {
  const owed = new Map<string, number>();
  for (let index = 0; index < MERCHANTS; index += 1) {
    const merchantId = await settlement.merchant(IBAN.paid);
    const stories = Array.from({ length: SALES }, (_, sale) =>
      new PaymentStory(merchantId)
        .created(1_000)
        .authorized(1_000)
        .captured(1_000 + sale, 30)
        .refunded(10),
    );
    await settlement.payments.emit(stories.flatMap((story) => story.emitted()));
    owed.set(
      merchantId,
      stories.reduce((sum, _, sale) => sum + 1_000 + sale - 30 - 10, 0),
    );
  }
  for (const merchantId of owed.keys())
    await eventually(async () => {
      const [row] = await settlement.balance(merchantId);
      expect(row).toMatchObject({ pending: owed.get(merchantId) });
    });
  return owed;
};

/** When the ledger has heard of the payments too, which it does in its own time. */
const ledgerSays = async (code: string, balance: number): Promise<void> => {
  await eventually(async () => {
    expect(await settlement.ledgerBalance(code)).toBe(balance);
  }, PATIENT);
};

/** A process that died leaves leases and timers: a test does not wait for them. */
const letTimePass = async (): Promise<void> => {
  await settlement.database.execute('UPDATE settlement_runs SET lease_until = NULL');
  await settlement.database.execute('UPDATE payouts SET due_at = now(), lease_until = NULL WHERE due_at IS NOT NULL');
};

it('killed seven times in one run, at each place where it may die, takes each line into one batch and pays each payout once', async () => {
  const owed = await sellEverywhere();
  const runId = newId('srn');
  await settlement.database.execute(
    'INSERT INTO settlement_runs (id, cutoff_at, requested_by) VALUES ($1, now(), $2)',
    [runId, 'usr_test'],
  );
  for (const crash of [
    'settlement.after-batch-create@2',
    'settlement.after-chunk@3',
    'settlement.after-lines@2',
    'settlement.before-completed@1',
    'settlement.after-payout-create@1',
    'settlement.after-bank-send@3',
    'settlement.before-mark-paid@2',
  ]) {
    const { died } = await settlement.startProcess(crash);
    expect([crash, await died]).toEqual([crash, 'SIGKILL']);
    await letTimePass();
  }
  const last = await settlement.startProcess('');
  await settlement.runDone(runId);
  await eventually(
    async () => {
      await letTimePass();
      const [left] = await settlement.database.query<{ left: bigint }>(
        `SELECT count(*) AS left FROM payouts WHERE status <> 'PAID'`,
      );
      expect(left?.left).toBe(0n);
    },
    { ...PATIENT, intervalMs: 500 },
  );
  last.kill();
  await last.died;

  const [lines] = await settlement.database.query<Fields>(
    `SELECT count(*) FILTER (WHERE settlement_id IS NULL) AS free, count(*) AS all, count(DISTINCT s.id) AS batches
       FROM balance_transactions b LEFT JOIN settlements s ON s.id = b.settlement_id AND s.run_id = $1
      WHERE b.payment_id IS NOT NULL`,
    [runId],
  );
  expect(lines).toEqual({ free: 0n, all: BigInt(MERCHANTS * SALES * 2), batches: BigInt(MERCHANTS) });
  for (const [merchantId, net] of owed) {
    const [batch, ...more] = await settlement.list('/settlements', merchantId);
    expect([more, batch]).toMatchObject([[], { status: 'COMPLETED', net, lineCount: SALES * 2 }]);
    const payouts = await settlement.list('/payouts', merchantId);
    expect(payouts).toMatchObject([{ payoutId: batch?.['payoutId'], amount: net, status: 'PAID' }]);
    expect(await settlement.bankBook(String(batch?.['payoutId']))).toMatchObject([{ kind: 'CREDIT', amount: net }]);
    expect(await settlement.posted(merchantId)).toEqual(['PAYOUT', 'PAYOUT_PAID']);
    const told = await settlement.told(String(batch?.['settlementId']));
    const paymentsTold = told.flatMap(({ payload }) => (payload['lines'] ?? []) as readonly Fields[]);
    expect(new Set(paymentsTold.map((line) => String(line['balanceTransactionId']))).size).toBe(paymentsTold.length);
    expect(paymentsTold).toHaveLength(SALES * 2);
    await ledgerSays(`merchant:${merchantId}:payable`, 0);
  }
  expect(await settlement.bankBook()).toHaveLength(MERCHANTS);
});
