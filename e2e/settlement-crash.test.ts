import { describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { bankBookOf } from './bank.js';
import { adminToken, authorize, call, demo, eventually, newKey, newMerchant, type TestMerchant } from './stack.js';

const SALES = 120;
const AT_ONCE = 8;
const KILLS = 5;
/** Each kill costs a lease and a restart, which is put off longer each time. */
const TIMEOUT_MS = 1_200_000;
const IBAN = 'GB57PAYF00000100000001';

const inSettlement = async <Row>(statement: string, parameters: readonly unknown[]): Promise<readonly Row[]> => {
  const url = new URL(demo().postgres);
  url.pathname = '/payflow_settlement';
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  try {
    return (await client.query(statement, [...parameters])).rows as Row[];
  } finally {
    await client.end();
  }
};

const sell = async (merchant: TestMerchant): Promise<string> => {
  const { status, body, text } = await authorize(merchant, { amount: 1000, capture: true });
  if (status !== 201) throw new Error(`no sale: ${status} ${text}`);
  return String(body.paymentId);
};

const sales = async (merchant: TestMerchant): Promise<readonly string[]> => {
  const paymentIds: string[] = [];
  const client = async (): Promise<void> => {
    while (paymentIds.length < SALES) paymentIds.push(await sell(merchant));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return paymentIds;
};

interface Progress {
  readonly phase: string;
  readonly chunks: number;
}

const progressOf = async (runId: string): Promise<Progress | undefined> =>
  (await inSettlement<Progress>('SELECT phase, chunks FROM settlement_runs WHERE id = $1', [runId]))[0];

/** Kills the process, and waits until the supervisor's next one is there. */
const killSettlement = async (): Promise<void> => {
  const pid = demo().pids['settlement'];
  if (pid === undefined) throw new Error('settlement has no process');
  process.kill(pid, 'SIGKILL');
  await eventually(() => {
    expect(demo().pids['settlement']).not.toBe(pid);
    return Promise.resolve();
  });
};

describe('settlement, killed in the middle of a batch again and again', () => {
  it(
    'settles each payment in one batch, and the bank pays once (R-134)',
    async () => {
      const merchant = await newMerchant();
      const staff = { token: await adminToken() };
      const account = await call('PUT', `/merchants/${merchant.merchantId}/payout-account`, {
        ...staff,
        key: newKey(),
        body: { iban: IBAN, name: 'Killed in the middle' },
      });
      expect(account.status).toBe(200);
      const paymentIds = await sales(merchant);
      await eventually(async () => {
        const { body } = await call('GET', '/balance', { token: merchant.token });
        expect(body['data']).toMatchObject([{ currency: 'USD' }]);
      });

      const key = newKey();
      const started = await eventually(async () => {
        // Refused, to be asked for again, as long as settlement has not heard of all the sales.
        const asked = await call('POST', '/settlements/run', {
          ...staff,
          key,
          body: { merchantId: merchant.merchantId },
        });
        expect(asked.status).toBe(202);
        return asked;
      });
      const runId = String(started.body['runId']);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const before = (await progressOf(runId))?.chunks ?? 0;
        await killSettlement();
        // It goes on where it stopped, and is killed again as soon as it has.
        await eventually(async () => {
          const progress = await progressOf(runId);
          expect(progress?.phase === 'DONE' || (progress?.chunks ?? 0) > before).toBe(true);
        });
      }
      await eventually(async () => {
        expect((await progressOf(runId))?.phase).toBe('DONE');
      });

      const lines = await inSettlement<{ payment_id: string; count: string }>(
        `SELECT payment_id, count(*) FROM balance_transactions
          WHERE payment_id = ANY($1) AND settlement_id IS NOT NULL GROUP BY payment_id`,
        [paymentIds],
      );
      expect(lines).toHaveLength(paymentIds.length);
      expect(lines.filter(({ count }) => count !== '1')).toEqual([]);

      // It was killed a moment ago, perhaps: it has to be there again before it can answer.
      const payouts = await eventually(async () => {
        const { status, body } = await call('GET', '/payouts', { token: merchant.token });
        expect(status).toBe(200);
        return body;
      });
      expect(payouts['data']).toHaveLength(1);
      const payoutId = String(payouts['data'][0].payoutId);
      await eventually(async () => {
        const { body } = await call('GET', `/payouts/${payoutId}`, { token: merchant.token });
        expect(body['status']).toBe('PAID');
      });
      const book = await bankBookOf(payoutId);
      expect(book).toMatchObject([{ kind: 'CREDIT', amount: payouts['data'][0].amount }]);
      await eventually(async () => {
        const { body } = await call('GET', '/balance', { token: merchant.token });
        expect(body['data']).toMatchObject([{ available: 0, pending: 0 }]);
      });
    },
    TIMEOUT_MS,
  );
});
