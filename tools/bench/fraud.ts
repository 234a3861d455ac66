import type pg from 'pg';
import { typeid } from 'typeid-js';

import type { FraudDecisions } from './clients/fraud-decision.ts';
import { DatabaseBaseline } from './database-baseline.ts';
import type { LoadResult } from './load.ts';
import { connected } from './payment-books.ts';
import { rowOf } from './payment-loads.ts';
import { measuredRows } from './report.ts';
import type { Bench, Section } from './section.ts';
import { serviceTokenOf } from './sign-in.ts';

const MODULE = new URL('./clients/fraud-decision.ts', import.meta.url);
const ROWS = 10_000;
const PAYERS = 10_000;
const MERCHANTS = 100;
const GOAL_RATE = 200;
/** Enough that no question waits for a free connection. */
const OPEN_CLIENTS = 64;
const CLIENTS = 16;

/** What payment asks before each authorization, at fraud's own door, under the rules that hold before anybody sets any. */
export const fraud: Section = {
  name: 'fraud',
  title: 'Fraud decisions',
  about: 'a decision with its counts, at 200 a second and as many as go; beside a select by key at the same rate',
  run: async (bench) => {
    const baseline = await DatabaseBaseline.create(bench, Math.max(10, Math.round(ROWS * bench.scale)));
    const decisions = await connected(bench.stack.postgres, 'payflow_fraud');
    const { rows, add } = measuredRows(bench);
    const violations: string[] = [];
    const measure = async (
      merchants: number,
      load: { readonly clients: number; readonly startsPerSecond?: number },
    ): Promise<LoadResult> => {
      const questions = await questionsOf(bench, merchants);
      const result = await bench.load({ module: MODULE, settings: questions, ...load });
      violations.push(...(await violationsOf(decisions, questions, result)));
      return result;
    };
    try {
      const bare = await baseline.select(OPEN_CLIENTS, GOAL_RATE);
      for (const merchants of [MERCHANTS, 1]) {
        const result = await measure(merchants, { clients: OPEN_CLIENTS, startsPerSecond: GOAL_RATE });
        const label = `${String(GOAL_RATE)} a second come, ${merchants === 1 ? 'one merchant' : `${String(merchants)} merchants`}`;
        add(rowOf(label, 'decisions', result, undefined, besideSelect(result, bare)));
      }
      const { perSecond } = await baseline.select(CLIENTS);
      const most = await measure(MERCHANTS, { clients: CLIENTS });
      const beside = { what: `a select by key, ${String(CLIENTS)} connections`, perSecond };
      add(rowOf(`as many as go, ${String(CLIENTS)} clients`, 'decisions', most, beside));
      return { rows, violations };
    } finally {
      await decisions.end();
      await baseline.drop();
    }
  },
};

/** Its p50 is nothing that a timer of milliseconds could measure. */
const besideSelect = ({ p99Ms }: LoadResult, bare: LoadResult): string =>
  `a select by key, as often: p99 ${bare.p99Ms.toFixed(1)} ms; ${(p99Ms / bare.p99Ms).toFixed(0)} times that`;

const questionsOf = async (bench: Bench, merchants: number): Promise<FraudDecisions> => ({
  address: bench.stack.services['fraud'] ?? '',
  token: await serviceTokenOf(bench.stack, 'payment'),
  merchantIds: Array.from({ length: merchants }, () => typeid('mer').toString()),
  payers: PAYERS,
  subjectPrefix: `pay_bench${Date.now().toString(36)}x`,
});

/** Each answer is a decision that is there, and each is counted once for its merchant. */
const violationsOf = async (
  database: pg.Client,
  { subjectPrefix, merchantIds }: FraudDecisions,
  { succeededInAll }: LoadResult,
): Promise<readonly string[]> => {
  const { rows } = await database.query<{ decided: string; counted: string }>(
    `SELECT (SELECT count(*) FROM fraud_decisions WHERE subject_id >= $1 AND subject_id < $1 || '~') AS decided,
            (SELECT coalesce(sum(attempts), 0) FROM fraud_velocity WHERE kind = 'merchant' AND value = ANY($2)) AS counted`,
    [subjectPrefix, merchantIds],
  );
  const { decided, counted } = rows[0] ?? { decided: '0', counted: '0' };
  return [
    ...(Number(decided) === succeededInAll
      ? []
      : [`${String(succeededInAll)} decisions were answered, ${decided} are there`]),
    ...(counted === decided ? [] : [`of ${decided} decisions ${counted} are counted`]),
  ];
};
