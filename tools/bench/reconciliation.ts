import type pg from 'pg';

import { acquirerReport, type ReportLine } from './acquirer-report.ts';
import { call, until } from './call.ts';
import { connected } from './payment-books.ts';
import { MemoryWatch } from './process-memory.ts';
import { measuredRows } from './report.ts';
import type { Bench, Row, Section } from './section.ts';
import { type SetBased, setBasedRate } from './set-based.ts';
import { adminTokenOf } from './sign-in.ts';

const SIZES = [10_000, 100_000] as const;
const LINES_MIN = 100;
const ACQUIRER = 'sim';
const MS_PER_SECOND = 1_000;
const HOUR_MS = 3_600_000;
/** What a report tells of ends an hour before it does: the last hour's lines are not missed yet (the grace period). */
const PERIOD_MS = 2 * HOUR_MS;
/** From one line of a report to the next. */
const APART_MS = 10;
const RUN_WITHIN_MS = 600_000;

/** What a report has of each: the same lines are left out, doubled or changed in every size. */
const KINDS = ['amount', 'currency', 'duplicate', 'fee', 'missing_here', 'missing_there'] as const;
/** Lines of the report that do not simply agree: all kinds but the one that is not in it. */
const DIFFERING = KINDS.length - 1;

/** An acquirer's report is sent in and compared with lines that are expected. One difference of each kind is in it. */
export const reconciliation: Section = {
  name: 'reconciliation',
  title: 'Reconciliation',
  about: 'a report of 10,000 and 100,000 lines, read in and compared: time and memory; beside one SQL statement',
  run: async (bench) => {
    const database = await connected(bench.stack.postgres, 'payflow_settlement');
    const { rows, add } = measuredRows(bench);
    const violations: string[] = [];
    try {
      for (const [index, size] of SIZES.entries()) {
        const lines = Math.max(LINES_MIN, Math.round(size * bench.scale));
        // Times that are over and of which nothing else is told: what the report lacks is ours.
        const books = new ReportedPeriod(
          lines,
          new Date(Date.now() - (SIZES.length - index + 1) * (PERIOD_MS + HOUR_MS)),
        );
        await books.expect(database);
        const perSecond = await setBasedRate(bench, inSql(lines));
        const [token, file] = [await adminTokenOf(bench.stack), books.file()];
        const memory = new MemoryWatch(bench.stack.pids['settlement']);
        const begun = performance.now();
        const run = await compared(bench, token, file);
        const tookMs = performance.now() - begun;
        const row: Row = {
          what: `${lines.toLocaleString('en')} lines`,
          unit: 'lines',
          perSecond: (lines * MS_PER_SECOND) / tookMs,
          baseline: { what: 'into a table and compared by one statement', perSecond },
          note: `${(tookMs / MS_PER_SECOND).toFixed(1)} s, of which read in ${(run.readInMs / MS_PER_SECOND).toFixed(1)}; ${memory.end()}`,
        };
        add(row);
        violations.push(...(await books.violations(database, run)).map((sentence) => `${row.what}: ${sentence}`));
      }
      return { rows, violations };
    } finally {
      await database.end();
    }
  },
};

interface Compared {
  readonly runId: string;
  readonly status: string;
  readonly linesMatched: number;
  readonly readInMs: number;
}

/** Sends the file in, as staff does, and waits until it is compared. */
const compared = async ({ stack }: Bench, token: string, file: string): Promise<Compared> => {
  const begun = performance.now();
  const url = `${stack.gateway}/reconciliation/reports?source=acquirer:${ACQUIRER}`;
  const { runId } = await call<{ runId: string }>('POST', url, token, file);
  const readInMs = performance.now() - begun;
  return await until(`The end of ${runId}`, RUN_WITHIN_MS, async () => {
    const run = await call<Omit<Compared, 'readInMs'>>('GET', `${stack.gateway}/reconciliation/runs/${runId}`, token);
    return run.status === 'RUNNING' ? undefined : { ...run, readInMs };
  });
};

/** What happened in a period, as our books have it and as the acquirer tells it. */
class ReportedPeriod {
  private readonly lines: number;
  private readonly from: Date;
  /** Letters, so that nothing looks like a card number. */
  private readonly prefix: string;

  constructor(lines: number, from: Date) {
    this.lines = lines;
    this.from = from;
    this.prefix = `cap_bench${Date.now().toString(36)}x`;
  }

  /** Ours, set-based: one line fewer than the report has, since it lacks one of ours, doubles one and knows one more. */
  async expect(database: pg.Client): Promise<void> {
    await database.query(
      `INSERT INTO expected_lines (source, type, reference, payment_id, merchant_id, amount_minor, currency, occurred_at)
       SELECT $1, 'capture', $2 || n, 'pay_bench' || n, 'mer_bench' || n % 100, 1000 + n % 5000, 'USD',
              $3::timestamptz + make_interval(secs => n * $4::int / 1000.0)
         FROM generate_series(1, $5::int) AS n`,
      [`acquirer:${ACQUIRER}`, this.prefix, this.from, APART_MS, this.lines - 1],
    );
    await database.query('VACUUM (ANALYZE) expected_lines');
  }

  /** Theirs. */
  file(): string {
    const lines = Array.from({ length: this.lines - 2 }, (_, index) => this.told(index + 2));
    return acquirerReport({
      acquirer: ACQUIRER,
      report: this.prefix,
      from: this.from,
      to: new Date(this.from.getTime() + PERIOD_MS),
      lines: [...lines, this.told(5), this.told(0)],
    });
  }

  /** The first of ours is left out, four have a word against them, and the line 0 is none of ours. */
  private told(n: number): ReportLine {
    return {
      reference: `${this.prefix}${String(n)}`,
      paymentId: `pay_bench${String(n)}`,
      amount: 1_000 + (n % 5_000) + (n === 2 ? 1 : 0),
      currency: n === 4 ? 'EUR' : 'USD',
      fee: n === 3 ? 30 : 0,
      at: new Date(this.from.getTime() + n * APART_MS),
    };
  }

  async violations(database: pg.Client, run: Compared): Promise<readonly string[]> {
    const { rows } = await database.query<{ kind: string; count: string }>(
      `SELECT kind, count(*) FROM settlement_exceptions WHERE run_id = $1 AND starts_with(reference, $2) GROUP BY kind ORDER BY kind`,
      [run.runId, this.prefix],
    );
    const found = rows.map(({ kind, count }) => `${count} × ${kind}`).join(', ');
    const wanted = KINDS.map((kind) => `1 × ${kind}`).join(', ');
    const matched = this.lines - DIFFERING;
    return [
      ...(run.status === 'DONE' ? [] : [`the run has ended as ${run.status}`]),
      ...(run.linesMatched === matched ? [] : [`${String(run.linesMatched)} lines agree, not ${String(matched)}`]),
      ...(found === wanted ? [] : [`differences are ${found}; in the report are ${wanted}`]),
    ];
  }
}

/** Lines into a table, and those of ours that agree marked. No file, no periods, no kinds of differences. */
const inSql = (lines: number): SetBased => ({
  rows: lines,
  prepare: `
    CREATE TABLE ours (reference text COLLATE "C" PRIMARY KEY, amount bigint NOT NULL, seen boolean NOT NULL DEFAULT false);
    CREATE TABLE theirs (line int PRIMARY KEY, reference text COLLATE "C" NOT NULL, amount bigint NOT NULL);
    CREATE INDEX theirs_reference ON theirs (reference);
    INSERT INTO ours (reference, amount) SELECT 'cap_' || n, 1000 + n % 5000 FROM generate_series(1, ${String(lines)}) AS n`,
  statement: `
    WITH told AS (
      INSERT INTO theirs SELECT n, 'cap_' || n, 1000 + n % 5000 FROM generate_series(1, ${String(lines)}) AS n
      RETURNING reference, amount)
    UPDATE ours o SET seen = true FROM told t WHERE t.reference = o.reference AND t.amount = o.amount`,
});
