import type { Sql, Tx } from '@payflow/postgres';

import type { ReserveRule } from '../domain/group-close.js';
import type { BalanceKey } from './merchant-balances.js';

export interface ReserveRuleRow extends ReserveRule {
  readonly merchantId: string;
  readonly version: bigint;
}

const RULE = 'merchant_id AS "merchantId", basis_points AS "basisPoints", days, version';

export const listReserveRules = async (sql: Sql, merchantIds: readonly string[]): Promise<readonly ReserveRuleRow[]> =>
  await sql.query<ReserveRuleRow>(`SELECT ${RULE} FROM reserve_rules WHERE merchant_id = ANY ($1::text[])`, [
    merchantIds,
  ]);

/** @param expected the version that the caller has read; the answer is undefined when it is another now */
export const storeReserveRule = async (
  tx: Tx,
  rule: { readonly merchantId: string; readonly updatedBy: string } & ReserveRule,
  expected: number | undefined,
): Promise<ReserveRuleRow | undefined> => {
  const [row] = await tx.query<ReserveRuleRow>(
    `INSERT INTO reserve_rules AS r (merchant_id, basis_points, days, updated_by) SELECT $1::text, $2::int, $3::int, $4::text
      WHERE $5::bigint IS NULL OR EXISTS (SELECT FROM reserve_rules WHERE merchant_id = $1)
     ON CONFLICT (merchant_id) DO UPDATE
        SET basis_points = excluded.basis_points, days = excluded.days, updated_by = excluded.updated_by,
            version = r.version + 1, updated_at = now()
      WHERE $5::bigint IS NULL OR r.version = $5
  RETURNING ${RULE}`,
    [rule.merchantId, rule.basisPoints, rule.days, rule.updatedBy, expected ?? null],
  );
  return row;
};

export interface NewReserve extends BalanceKey {
  /** Of its balance transaction. */
  readonly id: string;
  readonly settlementId: string;
  readonly amountMinor: bigint;
  readonly days: number;
}

export const insertReserves = async (tx: Tx, reserves: readonly NewReserve[]): Promise<void> => {
  if (reserves.length === 0) return;
  await tx.execute(
    `INSERT INTO reserves (id, settlement_id, merchant_id, currency, amount_minor, release_on)
     SELECT id, settlement_id, merchant_id, currency, amount, now() + make_interval(days => days)
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::int[])
         AS v (id, settlement_id, merchant_id, currency, amount, days)`,
    [
      reserves.map(({ id }) => id),
      reserves.map(({ settlementId }) => settlementId),
      reserves.map(({ merchantId }) => merchantId),
      reserves.map(({ currency }) => currency),
      reserves.map(({ amountMinor }) => amountMinor),
      reserves.map(({ days }) => days),
    ],
  );
};

export interface ReserveRow extends BalanceKey {
  readonly id: string;
  readonly settlementId: string;
  readonly amountMinor: bigint;
}

const RESERVE =
  'id, settlement_id AS "settlementId", merchant_id AS "merchantId", currency, amount_minor AS "amountMinor"';

/** What is kept back for long enough, in nobody else's hands. */
export const lockReservesDue = async (tx: Tx, limit: number): Promise<readonly ReserveRow[]> =>
  await tx.query<ReserveRow>(
    `SELECT ${RESERVE} FROM reserves WHERE release_id IS NULL AND release_on <= clock_timestamp()
      ORDER BY release_on LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );

export const storeReleases = async (
  tx: Tx,
  releases: readonly { readonly id: string; readonly releaseId: string }[],
): Promise<void> => {
  await tx.execute(
    `UPDATE reserves r SET release_id = v.release_id FROM unnest($1::text[], $2::text[]) AS v (id, release_id)
      WHERE r.id = v.id`,
    [releases.map(({ id }) => id), releases.map(({ releaseId }) => releaseId)],
  );
};

export type ReservePostingKind = 'reserve' | 'release';

const UNPOSTED: Readonly<Record<ReservePostingKind, string>> = {
  reserve: 'posted_at IS NULL',
  release: 'release_id IS NOT NULL AND release_posted_at IS NULL',
};
const POSTED_COLUMN: Readonly<Record<ReservePostingKind, string>> = {
  reserve: 'posted_at',
  release: 'release_posted_at',
};

/** What the ledger does not have yet. */
export const listUnposted = async (sql: Sql, kind: ReservePostingKind, limit: number): Promise<readonly ReserveRow[]> =>
  await sql.query<ReserveRow>(`SELECT ${RESERVE} FROM reserves WHERE ${UNPOSTED[kind]} ORDER BY id LIMIT $1`, [limit]);

export const markPosted = async (
  sql: Pick<Sql, 'execute'>,
  kind: ReservePostingKind,
  ids: readonly string[],
): Promise<void> => {
  if (ids.length === 0) return;
  await sql.execute(`UPDATE reserves SET ${POSTED_COLUMN[kind]} = clock_timestamp() WHERE id = ANY ($1::text[])`, [
    ids,
  ]);
};
