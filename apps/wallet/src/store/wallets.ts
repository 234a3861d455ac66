import type { Sql, Tx } from '@payflow/postgres';

import type { Spending } from '../domain/spending.js';
import type { Owner, Wallet } from '../domain/wallet.js';

/** A row of `wallets`. */
export interface WalletRow extends Wallet {
  readonly frozenReason: string | null;
  /** For ETag and If-Match, and under which a displayed balance may be kept. */
  readonly version: bigint;
  readonly createdAt: Date;
}

/** With what is known of its owner. */
export interface OwnedWalletRow extends WalletRow {
  readonly owner: Owner | undefined;
}

const COLUMNS = `
  w.id, w.owner_id AS "ownerId", w.currency, w.status, w.frozen_reason AS "frozenReason",
  w.transfer_max_minor AS "transferMaxMinor", w.day_max_minor AS "dayMaxMinor", w.spent_on::text AS "spentOn",
  w.spent_minor AS "spentMinor", w.version, w.created_at AS "createdAt"`;

export const insertWallet = async (
  sql: Sql,
  wallet: { readonly id: string; readonly ownerId: string; readonly currency: string },
): Promise<WalletRow> => {
  const [row] = await sql.query<WalletRow>(
    `INSERT INTO wallets AS w (id, owner_id, currency) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
    [wallet.id, wallet.ownerId, wallet.currency],
  );
  if (row === undefined) throw new Error('invariant: an inserted wallet was not returned');
  return row;
};

export const findWallet = async (sql: Sql, walletId: string): Promise<WalletRow | undefined> => {
  const [row] = await sql.query<WalletRow>(`SELECT ${COLUMNS} FROM wallets w WHERE w.id = $1`, [walletId]);
  return row;
};

/** The owner's oldest wallet of a currency: the one that is meant where none is named. */
export const findDefaultWallet = async (
  sql: Sql,
  ownerId: string,
  currency: string,
): Promise<WalletRow | undefined> => {
  const [row] = await sql.query<WalletRow>(
    `SELECT ${COLUMNS} FROM wallets w WHERE w.owner_id = $1 AND w.currency = $2 ORDER BY w.created_at, w.id LIMIT 1`,
    [ownerId, currency],
  );
  return row;
};

/** Lets one transaction at a time look for the owner's wallet of a currency, and make it when there is none. */
export const lockDefaultWallet = async (tx: Tx, ownerId: string, currency: string): Promise<void> => {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 86))', [`${ownerId} ${currency}`]);
};

/** Newest first. */
export const listWallets = async (
  sql: Sql,
  filter: { readonly ownerId: string | undefined; readonly currency: string | undefined },
  before: string | undefined,
  limit: number,
): Promise<WalletRow[]> =>
  await sql.query<WalletRow>(
    `SELECT ${COLUMNS} FROM wallets w
      WHERE ($1::text IS NULL OR w.owner_id = $1) AND ($2::text IS NULL OR w.currency = $2)
        AND ($3::text IS NULL OR w.id < $3)
      ORDER BY w.id DESC LIMIT $4`,
    [filter.ownerId ?? null, filter.currency ?? null, before ?? null, limit],
  );

/** All of one person's. */
export const listWalletIds = async (sql: Sql, ownerId: string): Promise<string[]> =>
  (await sql.query<{ readonly id: string }>('SELECT id FROM wallets WHERE owner_id = $1', [ownerId])).map(
    ({ id }) => id,
  );

/** Locked, in the order of their ids: whoever locks several does it so, and nobody waits for each other. */
export const lockWallets = async (tx: Tx, walletIds: readonly string[]): Promise<OwnedWalletRow[]> => {
  const rows = await tx.query<WalletRow & { readonly ownerStatus: Owner['status'] | null; readonly verified: boolean }>(
    `SELECT ${COLUMNS}, o.status AS "ownerStatus", o.verified
       FROM wallets w LEFT JOIN wallet_owners o ON o.user_id = w.owner_id
      WHERE w.id = ANY ($1::text[]) ORDER BY w.id FOR NO KEY UPDATE OF w`,
    [walletIds],
  );
  return rows.map(({ ownerStatus, verified, ...wallet }) => ({
    ...wallet,
    owner: ownerStatus === null ? undefined : { userId: wallet.ownerId, status: ownerStatus, verified },
  }));
};

/** Counts what leaves wallets; their rows are locked. Each wallet at most once. */
export const countSpending = async (tx: Tx, spendings: readonly Spending[]): Promise<void> => {
  if (spendings.length === 0) return;
  await tx.execute(
    `UPDATE wallets w SET spent_on = n.day, spent_minor = n.spent, version = w.version + 1
       FROM unnest($1::text[], $2::date[], $3::bigint[]) AS n (id, day, spent) WHERE w.id = n.id`,
    [
      spendings.map(({ walletId }) => walletId),
      spendings.map(({ day }) => day),
      spendings.map(({ spentMinor }) => spentMinor),
    ],
  );
};

/** Takes back from a day's count what did not leave after all. */
export interface GivenBack {
  readonly walletId: string;
  readonly day: string;
  readonly amountMinor: bigint;
}

/**
 * Something was posted on these wallets' accounts: their versions go up, so that no balance kept before is shown again. In the
 * transaction of the outcome, before it is told. What failed is given back to the limit of its day.
 */
export const touchWallets = async (
  tx: Tx,
  walletIds: readonly string[],
  givenBack: readonly GivenBack[] = [],
): Promise<void> => {
  const ids = [...new Set(walletIds)].sort();
  if (ids.length === 0) return;
  await Promise.all([
    tx.query('SELECT FROM wallets WHERE id = ANY ($1::text[]) ORDER BY id FOR NO KEY UPDATE', [ids]),
    tx.execute('UPDATE wallets SET version = version + 1 WHERE id = ANY ($1::text[])', [ids]),
    givenBack.length === 0 ? undefined : giveBack(tx, givenBack),
  ]);
};

const giveBack = async (tx: Tx, givenBack: readonly GivenBack[]): Promise<void> => {
  await tx.execute(
    `UPDATE wallets w SET spent_minor = GREATEST(w.spent_minor - n.amount, 0)
       FROM (SELECT id, day, sum(amount)::bigint AS amount
               FROM unnest($1::text[], $2::date[], $3::bigint[]) AS u (id, day, amount) GROUP BY id, day) AS n
      WHERE w.id = n.id AND w.spent_on = n.day`,
    [
      givenBack.map(({ walletId }) => walletId),
      givenBack.map(({ day }) => day),
      givenBack.map(({ amountMinor }) => amountMinor),
    ],
  );
};

export const setFrozen = async (tx: Tx, walletId: string, reason: string | null): Promise<WalletRow> =>
  await changed(
    tx,
    `UPDATE wallets AS w SET status = CASE WHEN $2::text IS NULL THEN 'ACTIVE' ELSE 'FROZEN' END, frozen_reason = $2,
            version = w.version + 1
      WHERE w.id = $1 RETURNING ${COLUMNS}`,
    [walletId, reason],
  );

export const setLimits = async (
  tx: Tx,
  walletId: string,
  limits: { readonly transferMaxMinor: bigint | null; readonly dayMaxMinor: bigint | null },
): Promise<WalletRow> =>
  await changed(
    tx,
    `UPDATE wallets AS w SET transfer_max_minor = $2, day_max_minor = $3, version = w.version + 1
      WHERE w.id = $1 RETURNING ${COLUMNS}`,
    [walletId, limits.transferMaxMinor, limits.dayMaxMinor],
  );

const changed = async (tx: Tx, text: string, parameters: readonly unknown[]): Promise<WalletRow> => {
  const [row] = await tx.query<WalletRow>(text, parameters);
  if (row === undefined) throw new Error('invariant: a locked wallet has vanished');
  return row;
};
