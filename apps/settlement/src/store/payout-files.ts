import type { ToldPayout } from '@payflow/clients';
import { minorToJson } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

import type { PayoutRow } from './payouts.js';

/** A payout that a file orders. */
export interface FiledRow {
  readonly id: string;
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly accountSealed: Buffer;
}

/** Which file of which run, at which bank. */
export interface FileName {
  readonly runId: string;
  readonly bank: string;
  /** From 1. */
  readonly part: number;
}

/**
 * Puts into this file what has been debited and is in none, unless this file or one behind it is there already. The run is
 * locked meanwhile, so that a payout is in one file for ever.
 */
export const fillFile = async (tx: Tx, { runId, bank, part }: FileName, limit: number): Promise<void> => {
  await tx.execute('SELECT FROM settlement_runs WHERE id = $1 FOR UPDATE', [runId]);
  await tx.execute(
    `UPDATE payouts p SET file_part = $3
       FROM (SELECT id FROM payouts
              WHERE run_id = $1 AND bank = $2 AND way = 'file' AND file_part IS NULL AND stage IN ('SENDING', 'ASKING')
                AND $3 = (SELECT coalesce(max(file_part), 0) + 1 FROM payouts WHERE run_id = $1)
              ORDER BY id LIMIT $4) AS ready
      WHERE p.id = ready.id`,
    [runId, bank, part, limit],
  );
};

/** What this file orders, in order. What failed is left out: it is paid again by another payout. */
export const listFiled = async (
  sql: Pick<Sql, 'query'>,
  { runId, bank, part }: FileName,
): Promise<readonly FiledRow[]> =>
  await sql.query<FiledRow>(
    `SELECT id, merchant_id AS "merchantId", amount_minor AS "amountMinor", currency, account_sealed AS "accountSealed"
       FROM payouts
      WHERE run_id = $1 AND bank = $2 AND file_part = $3 AND status IN ('IN_TRANSIT', 'PAID')
      ORDER BY id`,
    [runId, bank, part],
  );

/** Whether the bank is told of this run's payouts by its API: what counts is how they began, not how payouts begin today. */
export const goByApi = async (
  sql: Pick<Sql, 'query'>,
  { runId, bank }: Pick<FileName, 'runId' | 'bank'>,
): Promise<boolean> => {
  const ways = await sql.query<Pick<PayoutRow, 'way'>>(
    'SELECT DISTINCT way FROM payouts WHERE run_id = $1 AND bank = $2',
    [runId, bank],
  );
  return ways.length > 0 && ways.every(({ way }) => way === 'api');
};

/** What the bank's statements, as they were read in, say of a payout. */
export const findStatedPayout = async (
  sql: Sql,
  { id, bank }: Pick<PayoutRow, 'id' | 'bank'>,
): Promise<ToldPayout | undefined> => {
  const [line] = await sql.query<{ type: string; theirs: string | null; amountMinor: bigint; currency: string }>(
    `SELECT type, their_reference AS theirs, abs(amount_minor) AS "amountMinor", currency FROM report_lines
      WHERE source = $1 AND type IN ('payout', 'return') AND reference = $2
      ORDER BY type = 'return' DESC LIMIT 1`,
    [`bank:${bank}`, id],
  );
  return line === undefined
    ? undefined
    : {
        reference: id,
        status: line.type === 'return' ? 'RETURNED' : 'PAID',
        reason: null,
        amount: minorToJson(line.amountMinor),
        currency: line.currency,
        bankReference: line.theirs,
      };
};
