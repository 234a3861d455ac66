import type { Tx } from '@payflow/postgres';

import { countDeclines } from './velocity.js';

/** What became of a payment. */
export interface PaymentOutcome {
  readonly paymentId: string;
  readonly kind: 'declined' | 'captured' | 'refunded' | 'disputed';
  readonly at: Date;
}

const COLUMN = {
  declined: 'declined_at',
  captured: 'captured_at',
  refunded: 'refunded_at',
  disputed: 'disputed_at',
} as const satisfies Readonly<Record<PaymentOutcome['kind'], string>>;

/** The first of a kind is kept. @returns the payments of which none was known */
export const recordOutcomes = async (
  tx: Tx,
  kind: PaymentOutcome['kind'],
  outcomes: readonly PaymentOutcome[],
): Promise<readonly string[]> => {
  if (outcomes.length === 0) return [];
  const column = COLUMN[kind];
  const rows = await tx.query<{ paymentId: string }>(
    `INSERT INTO fraud_outcomes AS o (payment_id, ${column})
     SELECT t.payment_id, min(t.at) FROM unnest($1::text[], $2::timestamptz[]) AS t (payment_id, at)
      GROUP BY t.payment_id ORDER BY t.payment_id
     ON CONFLICT (payment_id) DO UPDATE SET ${column} = excluded.${column} WHERE o.${column} IS NULL
     RETURNING payment_id AS "paymentId"`,
    [outcomes.map(({ paymentId }) => paymentId), outcomes.map(({ at }) => at)],
  );
  return rows.map(({ paymentId }) => paymentId);
};

/** Records what is news and counts the declines of it. */
export const applyOutcomes = async (tx: Tx, outcomes: readonly PaymentOutcome[]): Promise<void> => {
  for (const kind of ['declined', 'captured', 'refunded', 'disputed'] as const) {
    const news = await recordOutcomes(
      tx,
      kind,
      outcomes.filter((outcome) => outcome.kind === kind),
    );
    if (kind === 'declined' && news.length > 0) await countDeclines(tx, news);
  }
};
