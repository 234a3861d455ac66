import { Injectable } from '@nestjs/common';
import {
  DRY_RUN_EXAMPLES_MAX,
  type FraudDryRunRequest,
  type FraudDryRunResult,
  type FraudOutcome,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';

import { factsOf } from '../domain/facts.js';
import { type WatchedWindow, windowsOf } from '../domain/features.js';
import { judge, type RuleSet } from '../domain/judge.js';
import { PastCounts } from '../domain/past-counts.js';
import { listPastDecisions, newestDecisions, type PastDecision } from '../store/decisions.js';
import { withIds } from './set-rules.js';
import { Turns } from './turns.js';

const PAST_ROWS_MAX = 10_000;
const MS_PER_SECOND = 1_000;

/** What happened to a payment of the past, in the order in which it happened. */
interface Happening {
  readonly at: Date;
  readonly kind: 'attempt' | 'decline';
  readonly decision: PastDecision;
}

type Changes = { readonly from: FraudOutcome; readonly to: FraudOutcome; count: number }[];

/** POST /fraud/dry-run: proposed rules over decisions that were made. */
@Injectable()
export class DryRun {
  constructor(private readonly database: Database) {}

  async run({ decisions, merchantId, ...proposed }: FraudDryRunRequest): Promise<FraudDryRunResult> {
    const ruleSet = withIds(proposed);
    const windows = windowsOf(ruleSet.rules);
    const chosen = await newestDecisions(this.database, merchantId, decisions);
    const past = await this.past(chosen, windows);
    const judged = new Set(chosen.slice(0, decisions).map(({ id }) => id));
    return { ...(await judgedAnew(ruleSet, windows, past.rows, judged)), complete: past.complete };
  }

  /** What is judged, and what was before it for as long as the rules look back. */
  private async past(
    chosen: readonly { readonly id: string; readonly at: Date }[],
    windows: readonly WatchedWindow[],
  ): Promise<{ readonly rows: readonly PastDecision[]; readonly complete: boolean }> {
    const newest = chosen[0];
    if (newest === undefined) return { rows: [], complete: true };
    const first = Math.min(...chosen.map(({ at }) => at.getTime()));
    // A minute more: a window begins with its minute.
    const back = Math.max(0, ...windows.map(({ window }) => window + 60)) * MS_PER_SECOND;
    const rows = await listPastDecisions(this.database, newest.id, new Date(first - back), PAST_ROWS_MAX + 1);
    return { rows: rows.slice(0, PAST_ROWS_MAX), complete: rows.length <= PAST_ROWS_MAX };
  }
}

const happeningsOf = (rows: readonly PastDecision[]): readonly Happening[] =>
  rows
    .flatMap((decision): Happening[] => {
      const attempt: Happening = { at: decision.at, kind: 'attempt', decision };
      return decision.declinedAt === null
        ? [attempt]
        : [attempt, { at: decision.declinedAt, kind: 'decline', decision }];
    })
    .sort((a, b) => a.at.getTime() - b.at.getTime());

const judgedAnew = async (
  ruleSet: RuleSet,
  windows: readonly WatchedWindow[],
  rows: readonly PastDecision[],
  judged: ReadonlySet<string>,
): Promise<Omit<FraudDryRunResult, 'complete'>> => {
  const counts = new PastCounts();
  const changes: Changes = [];
  const examples: FraudDryRunResult['examples'] = [];
  let decisions = 0;
  const turns = new Turns();
  for (const { at, kind, decision } of happeningsOf(rows)) {
    if (turns.isOver) await turns.next();
    const facts = factsOf(decision.request);
    if (kind === 'decline') {
      counts.decline(facts, at);
      continue;
    }
    if (judged.has(decision.id)) {
      decisions += 1;
      const velocities = counts.seenBy(facts, at, windows);
      const { outcome, reasons } = judge(ruleSet, facts, { velocities, lists: decision.features.lists });
      if (outcome !== decision.outcome) {
        addChange(changes, decision.outcome, outcome);
        const { id: decisionId, outcome: from } = decision;
        if (examples.length < DRY_RUN_EXAMPLES_MAX)
          examples.push({
            decisionId,
            subjectId: decision.request.subjectId,
            from,
            to: outcome,
            reasons: [...reasons],
          });
      }
    }
    counts.attempt(facts, at);
  }
  return { decisions, changed: changes.reduce((sum, { count }) => sum + count, 0), changes, examples };
};

const addChange = (changes: Changes, from: FraudOutcome, to: FraudOutcome): void => {
  const known = changes.find((change) => change.from === from && change.to === to);
  if (known === undefined) changes.push({ from, to, count: 1 });
  else known.count += 1;
};
