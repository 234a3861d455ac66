import type { Sql, Tx } from '@payflow/postgres';

import type { PostingRefusal } from '../domain/journal.js';

/** A service's reference that was refused for lack of money, and never posts. */
export interface FinalRefusal {
  readonly reference: string;
  readonly refusal: PostingRefusal;
}

export const findFinalRefusals = async (
  sql: Pick<Sql, 'query'>,
  references: readonly string[],
): Promise<readonly FinalRefusal[]> =>
  await sql.query<FinalRefusal>('SELECT reference, refusal FROM final_refusals WHERE reference = ANY ($1::text[])', [
    references,
  ]);

/** Those that are there already were refused alike. */
export const insertFinalRefusals = async (tx: Pick<Tx, 'execute'>, refused: readonly FinalRefusal[]): Promise<void> => {
  if (refused.length === 0) return;
  await tx.execute(
    `INSERT INTO final_refusals (reference, refusal)
     SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT (reference) DO NOTHING`,
    [refused.map(({ reference }) => reference), refused.map(({ refusal }) => JSON.stringify(refusal))],
  );
};
