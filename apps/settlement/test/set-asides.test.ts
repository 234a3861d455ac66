import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@payflow/testing';
import pg from 'pg';

import { PaymentStory } from '../../ledger/test/payment-event-source.js';
import { type Fields, FINANCE, SettlementUnderTest } from './settlement-under-test.js';

jest.setTimeout(120_000);

let settlement: SettlementUnderTest;
let owner: pg.Client;
beforeAll(async () => {
  settlement = await SettlementUnderTest.start({ environment: { LOG_LEVEL: 'silent' } });
  owner = new pg.Client({ connectionString: settlement.databases.ownerUrl });
  await owner.connect();
  await owner.query(`
    CREATE FUNCTION refuse_payout() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no payout for this one' USING ERRCODE = TG_ARGV[0]; END $$`);
}, 120_000);
afterEach(mend);
afterAll(async () => {
  await owner.end();
  await settlement.stop();
}, 60_000);

async function mend(): Promise<void> {
  await owner.query('DROP TRIGGER IF EXISTS refused ON payouts');
}

/** Whoever closes this merchant gets that error. */
const spoil = async (merchantId: string, sqlState: string): Promise<void> => {
  await owner.query(`
    CREATE TRIGGER refused BEFORE INSERT ON payouts FOR EACH ROW WHEN (NEW.merchant_id = '${merchantId}')
      EXECUTE FUNCTION refuse_payout('${sqlState}')`);
};

const sell = async (merchantId: string, amount: number): Promise<void> => {
  const story = new PaymentStory(merchantId).created(amount).authorized(amount).captured(amount, 0);
  await settlement.payments.emit(story.emitted());
  await eventually(async () => {
    expect((await settlement.balance(merchantId))[0]).toMatchObject({ pending: amount });
  });
};

/** Three merchants with a sale each, of whom the one in the middle cannot be closed. */
const spoiled = async (sqlState: string): Promise<Record<'first' | 'faulty' | 'last', string>> => {
  const [first, faulty, last] = [
    await settlement.merchant(),
    await settlement.merchant(),
    await settlement.merchant(),
  ].toSorted() as [string, string, string];
  for (const merchantId of [first, faulty, last]) await sell(merchantId, 700);
  await spoil(faulty, sqlState);
  return { first, faulty, last };
};

const settleAll = async (): Promise<string> => String((await settlement.post('/settlements/run', {})).body['runId']);

const runOf = async (runId: string): Promise<Fields> =>
  (await settlement.get(`/settlements/runs/${runId}`, FINANCE)).body;

const waitsFor = async (runId: string, setAsideCount: number): Promise<void> => {
  await eventually(async () => {
    expect(await runOf(runId)).toMatchObject({ phase: 'PAYING', setAsideCount, waitsUntil: expect.any(String) });
  });
};

const endPause = async (runId: string): Promise<void> => {
  await settlement.database.execute('UPDATE settlement_runs SET waits_until = now() WHERE id = $1', [runId]);
};

const failuresOf = async (merchantId: string): Promise<readonly Fields[]> =>
  await settlement.database.query<Fields>('SELECT failures, reason FROM settlement_set_asides WHERE merchant_id = $1', [
    merchantId,
  ]);

describe('a merchant who cannot be closed', () => {
  it('is set aside and tried again, while the others are settled and paid', async () => {
    const { first, faulty, last } = await spoiled('P0001');
    const runId = await settleAll();
    for (const merchantId of [first, last])
      expect(await settlement.payoutIn(merchantId, 'PAID')).toMatchObject({ amount: 700 });
    await waitsFor(runId, 1);
    expect(await settlement.list('/settlements', faulty)).toMatchObject([{ status: 'OPEN', lineCount: 1 }]);
    expect(await settlement.balance(faulty)).toMatchObject([{ pending: 0, available: 700 }]);
    expect(await failuresOf(faulty)).toEqual([{ failures: 1, reason: 'no payout for this one' }]);

    await endPause(runId);
    await eventually(async () => {
      expect(await failuresOf(faulty)).toMatchObject([{ failures: 2 }]);
    });
    await waitsFor(runId, 1);
    expect(await settlement.list('/payouts', faulty)).toEqual([]);

    await mend();
    await endPause(runId);
    const run = await settlement.runDone(runId);
    expect(run).toMatchObject({ setAsideCount: 0, waitsUntil: null, payoutCount: 3, settlementCount: 3 });
    const [batch] = await settlement.list('/settlements', faulty);
    expect(await settlement.payoutIn(faulty, 'PAID')).toMatchObject({
      amount: 700,
      settlementIds: [batch?.['settlementId']],
    });
    expect(batch).toMatchObject({ status: 'COMPLETED' });
    const told = await settlement.told(String(batch?.['settlementId']));
    expect(told.map(({ topic }) => topic.split('.').at(-1))).toEqual(['lines', 'completed']);
  });

  it('holds up no later run, and one that can close him closes what was left of him, in one payout', async () => {
    const { first, faulty } = await spoiled('P0001');
    const runId = await settleAll();
    await waitsFor(runId, 1);
    await sell(first, 300);
    expect(await settlement.settle(first)).toMatchObject({ payoutCount: 1, setAsideCount: 0 });
    await sell(faulty, 50);
    await mend();
    expect(await settlement.settle(faulty)).toMatchObject({ lineCount: 1, payoutCount: 1 });
    const payout = await settlement.payoutIn(faulty, 'PAID');
    expect(payout).toMatchObject({ amount: 750 });
    const batches = await settlement.list('/settlements', faulty);
    expect(batches).toMatchObject([{ status: 'COMPLETED' }, { status: 'COMPLETED' }]);
    const paid = payout['settlementIds'] as readonly string[];
    expect(new Set(paid)).toEqual(new Set(batches.map((batch) => String(batch['settlementId']))));
    await endPause(runId);
    expect(await settlement.runDone(runId)).toMatchObject({ payoutCount: 2, setAsideCount: 0 });
  });
});

it('a database that is away is nobody’s fault: the run is repeated, and nobody is set aside', async () => {
  const { first, faulty, last } = await spoiled('53100');
  const runId = await settleAll();
  await eventually(async () => {
    const [row] = await settlement.database.query<{ fence: bigint }>(
      'SELECT fence FROM settlement_runs WHERE id = $1',
      [runId],
    );
    expect(row?.fence).toBeGreaterThan(1n);
  });
  expect(await runOf(runId)).toMatchObject({ phase: 'PAYING', setAsideCount: 0, payoutCount: 0 });
  await mend();
  expect(await settlement.runDone(runId)).toMatchObject({ setAsideCount: 0, payoutCount: 3 });
  for (const merchantId of [first, faulty, last]) await settlement.payoutIn(merchantId, 'PAID');
});
