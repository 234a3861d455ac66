import type { Sql, Tx } from '@payflow/postgres';

import type { PayoutOutcome } from '../domain/payout.js';
import type { PayoutRow } from './payouts.js';

/** A row of `payout_decisions`. */
export interface DecisionRow {
  readonly attention: string;
  readonly outcome: PayoutOutcome | null;
  readonly reason: string;
  readonly decidedBy: string;
  readonly decidedAt: Date;
}

/** With how the payout stood, and why people had to look at it. */
export const insertDecision = async (
  tx: Tx,
  { id, stage }: Pick<PayoutRow, 'id' | 'stage'>,
  { attention, outcome, reason, decidedBy }: Omit<DecisionRow, 'decidedAt'>,
): Promise<void> => {
  await tx.execute(
    'INSERT INTO payout_decisions (payout_id, stage, attention, outcome, reason, decided_by) VALUES ($1, $2, $3, $4, $5, $6)',
    [id, stage, attention, outcome, reason, decidedBy],
  );
};

/** In order. */
export const listDecisions = async (sql: Sql, payoutId: string): Promise<readonly DecisionRow[]> =>
  await sql.query<DecisionRow>(
    `SELECT attention, outcome, reason, decided_by AS "decidedBy", decided_at AS "decidedAt" FROM payout_decisions
      WHERE payout_id = $1 ORDER BY position`,
    [payoutId],
  );
