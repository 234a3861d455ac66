import { newId } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { claimDue } from '../src/store/due-deliveries.js';
import { feedAfter } from '../src/store/events.js';
import { WebhooksUnderTest } from './webhooks-under-test.js';

const MANY = 20_000;

let hooks: WebhooksUnderTest;

beforeAll(async () => {
  hooks = await WebhooksUnderTest.start();
});
afterAll(async () => {
  await hooks.stop();
});

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

const rowsOf = (node: PlanNode): number => {
  const each = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
  const own = node['Relation Name'] === undefined ? 0 : each * node['Actual Loops'];
  return (node.Plans ?? []).reduce((sum, plan) => sum + rowsOf(plan), own);
};

/** How many rows of tables the statements of `run` touch, as they are run. */
const rowsTouched = async (tx: Tx, run: (sql: Sql) => Promise<unknown>): Promise<number> => {
  let rows = 0;
  const explained = async (text: string, parameters?: readonly unknown[]): Promise<never[]> => {
    const [answer] = await tx.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      parameters,
    );
    for (const { Plan } of answer?.['QUERY PLAN'] ?? []) rows += rowsOf(Plan);
    return [];
  };
  await run({ query: explained, execute: async (...statement) => (await explained(...statement)).length });
  return rows;
};

it('the feed of one type reads what is of that type, and not all that the merchant was ever told', async () => {
  const merchantId = newId('mer');
  await hooks.database.execute(
    `INSERT INTO events (event_id, merchant_id, position, type, aggregate_id, sequence, body, occurred_at)
     SELECT $1 || ':' || n, $1, n, CASE WHEN n % 10000 = 0 THEN 'payout.paid' ELSE 'payment.created' END, 'pay_' || n, 1,
            '{}', now()
       FROM generate_series(1, $2::int) AS n`,
    [merchantId, MANY],
  );
  await hooks.analyze();
  expect(await feedAfter(hooks.database, merchantId, 0n, 'payout.paid', 100)).toHaveLength(2);
  const touched = await hooks.database.transaction((tx) =>
    rowsTouched(tx, (sql) => feedAfter(sql, merchantId, 0n, 'payout.paid', 100)),
  );
  expect(touched).toBe(2);
});

it('a claim reads some of what waits for its order behind payments that fail, and not all', async () => {
  const merchant = hooks.merchant();
  const { id } = await hooks.endpoint(merchant, 'http://127.0.0.1:65535/hook', { ordered: true });
  // Nobody but this test looks at it.
  await hooks.database.execute(
    `UPDATE webhook_endpoints SET paused_until = now() + interval '1 day' WHERE endpoint_id = $1`,
    [id],
  );
  await hooks.database.execute(
    `WITH event AS (
       INSERT INTO events (event_id, merchant_id, position, type, aggregate_id, sequence, body, occurred_at)
       SELECT $1 || ':' || n, $1, n, 'payment.created', $1 || '/' || n / 100, n % 100, '{}', now()
         FROM generate_series(100, 99 + $2::int) AS n RETURNING *)
     INSERT INTO webhook_deliveries
       (delivery_id, endpoint_id, event_id, event_type, aggregate_id, sequence, due_at, tries, round_tries)
     SELECT event_id, $3, event_id, type, aggregate_id, sequence,
            CASE WHEN sequence = 0 THEN now() + interval '1 day' ELSE now() END, (sequence = 0)::int, (sequence = 0)::int
       FROM event`,
    [merchant.merchantId, MANY, id],
  );
  await hooks.analyze();
  const putOff = async (): Promise<number> => {
    const [row] = await hooks.database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM webhook_deliveries WHERE endpoint_id = $1 AND round_tries = 0 AND due_at > now()',
      [id],
    );
    return row?.count ?? 0;
  };
  let touched = 0;
  await hooks.database.transaction(async (tx) => {
    // A table of this size may as well be read whole.
    await tx.execute('SET LOCAL enable_seqscan = off');
    await tx.execute('UPDATE webhook_endpoints SET paused_until = NULL WHERE endpoint_id = $1', [id]);
    touched = await rowsTouched(tx, (sql) =>
      claimDue(sql, { free: 512, perEndpoint: 32, leaseMs: 60_000, inFlight: new Map() }),
    );
    await tx.execute(`UPDATE webhook_endpoints SET paused_until = now() + interval '1 day' WHERE endpoint_id = $1`, [
      id,
    ]);
  });
  expect(touched).toBeGreaterThan(100);
  expect(touched).toBeLessThan(MANY / 10);
  // What was read and has to wait is not read again by the next.
  expect(await putOff()).toBeGreaterThan(100);
});
