import { call, until } from './call.ts';
import { MemoryWatch } from './process-memory.ts';
import { measuredRows } from './report.ts';
import type { Bench, Section } from './section.ts';
import { type SetBased, setBasedRate } from './set-based.ts';
import { SettlementBooks } from './settlement-books.ts';
import { adminTokenOf } from './sign-in.ts';

const SIZES = [10_000, 100_000] as const;
const PAYMENTS_MIN = 100;
const MERCHANTS = 100;
const MS_PER_SECOND = 1_000;
const RUN_WITHIN_MS = 600_000;
const POSTED_WITHIN_MS = 900_000;
/** Counting them takes the ledger's Postgres some time too. */
const POSTED_EVERY_MS = 1_000;

/** One run over the captured payments of a hundred merchants, and everything that follows from it. */
export const settlement: Section = {
  name: 'settlement',
  title: 'Settlement',
  about:
    'a run over 10,000 and 100,000 captured payments: time, memory, and until each is posted; beside one SQL statement',
  run: async (bench) => {
    const books = await SettlementBooks.open(bench);
    const { rows, add } = measuredRows(bench);
    const violations: string[] = [];
    try {
      // What other sections have left is not measured with ours.
      await settled(bench, await adminTokenOf(bench.stack));
      for (const size of SIZES) {
        const payments = Math.max(PAYMENTS_MIN, Math.round(size * bench.scale));
        const merchantIds = await books.fill(payments, MERCHANTS);
        const perSecond = await setBasedRate(bench, inSql(payments));
        const end = await books.journalEnd();
        const token = await adminTokenOf(bench.stack);
        const memory = new MemoryWatch(bench.stack.pids['settlement']);
        const begun = performance.now();
        const runId = await settled(bench, token);
        const tookMs = performance.now() - begun;
        const label = `${payments.toLocaleString('en')} payments`;
        add({
          what: `${label}: into batches, to be paid out`,
          unit: 'payments',
          perSecond: (payments * MS_PER_SECOND) / tookMs,
          baseline: { what: 'into batches by one statement', perSecond },
          note: `${inSeconds(tookMs)}; ${memory.end()}`,
        });
        await until(
          `The ledger's last posting of ${label}`,
          POSTED_WITHIN_MS,
          async () => ((await books.postedSince(end, merchantIds)) === payments ? true : undefined),
          POSTED_EVERY_MS,
        );
        const inAllMs = performance.now() - begun;
        add({
          what: `${label}: until each is posted as settled`,
          unit: 'payments',
          perSecond: (payments * MS_PER_SECOND) / inAllMs,
          note: inSeconds(inAllMs),
        });
        violations.push(...(await books.violations(runId, merchantIds, payments)));
      }
      return { rows, violations };
    } finally {
      await books.close();
    }
  },
};

const inSeconds = (ms: number): string => `${(ms / MS_PER_SECOND).toFixed(1)} s`;

/** Asks for a run over everything that is available, and waits until it is done. @returns the run */
const settled = async ({ stack }: Bench, token: string): Promise<string> => {
  const { runId } = await call<{ runId: string }>('POST', `${stack.gateway}/settlements/run`, token, {});
  await until(`The end of ${runId}`, RUN_WITHIN_MS, async () => {
    const { phase } = await call<{ phase: string }>('GET', `${stack.gateway}/settlements/runs/${runId}`, token);
    return phase === 'DONE' ? phase : undefined;
  });
  return runId;
};

/** What a batch is at the least: its lines marked, and their sums. No events, no cursor, no balances, no payouts. */
const inSql = (payments: number): SetBased => ({
  rows: payments,
  prepare: `
    CREATE TABLE batches (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, merchant int NOT NULL, lines bigint NOT NULL, gross bigint NOT NULL,
      fee bigint NOT NULL);
    CREATE TABLE lines (
      id bigint PRIMARY KEY, merchant int NOT NULL, gross bigint NOT NULL, fee bigint NOT NULL, batch bigint REFERENCES batches);
    CREATE INDEX lines_open ON lines (merchant) WHERE batch IS NULL;
    CREATE INDEX lines_batch ON lines (batch) WHERE batch IS NOT NULL;
    INSERT INTO lines (id, merchant, gross, fee)
      SELECT n, n % ${String(MERCHANTS)}, 1000, 59 FROM generate_series(1, ${String(payments)}) AS n`,
  statement: `
    WITH begun AS (
      INSERT INTO batches (merchant, lines, gross, fee)
      SELECT merchant, count(*), sum(gross), sum(fee) FROM lines WHERE batch IS NULL GROUP BY merchant RETURNING id, merchant)
    UPDATE lines l SET batch = b.id FROM begun b WHERE b.merchant = l.merchant AND l.batch IS NULL`,
});
