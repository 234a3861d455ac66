import type { Sql, Tx } from '@payflow/postgres';

export interface WrappedKeyRow {
  readonly version: number;
  readonly wrappedKey: Buffer;
}

export interface KeyUsageRow {
  readonly version: number;
  readonly createdAt: Date;
  readonly retiredAt: Date | null;
  readonly tokens: number;
}

export interface RotationRow {
  readonly toVersion: number;
  readonly cursor: string;
  readonly reencrypted: number;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}

const CURRENT_KEY_TRIES_MAX = 5;
const ROTATION_COLUMNS = `
  to_version AS "toVersion", cursor, reencrypted, started_at AS "startedAt", finished_at AS "finishedAt"`;

/**
 * The key that new cards are sealed under, held against retirement until the transaction ends. A rotation that retires the
 * key at the same moment makes this statement return nothing; then the newer key is there.
 */
export const holdCurrentKey = async (tx: Tx): Promise<WrappedKeyRow> => {
  for (let attempt = 0; attempt < CURRENT_KEY_TRIES_MAX; attempt += 1) {
    const [row] = await tx.query<WrappedKeyRow>(
      `SELECT version, wrapped_key AS "wrappedKey" FROM vault_keys
       WHERE version = (SELECT max(version) FROM vault_keys) AND retired_at IS NULL
       FOR KEY SHARE`,
    );
    if (row !== undefined) return row;
  }
  throw new Error('invariant: the vault has no current data key');
};

export const wrappedKeys = async (sql: Sql): Promise<WrappedKeyRow[]> =>
  await sql.query<WrappedKeyRow>('SELECT version, wrapped_key AS "wrappedKey" FROM vault_keys ORDER BY version');

export const findWrappedKey = async (sql: Sql, version: number): Promise<WrappedKeyRow | undefined> => {
  const [row] = await sql.query<WrappedKeyRow>(
    'SELECT version, wrapped_key AS "wrappedKey" FROM vault_keys WHERE version = $1',
    [version],
  );
  return row;
};

/** @returns false when another instance has made this version */
export const insertKey = async (sql: Sql, version: number, wrappedKey: Buffer, at: Date): Promise<boolean> =>
  (await sql.execute(
    `INSERT INTO vault_keys (version, wrapped_key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [version, wrappedKey, at],
  )) === 1;

export const keyUsage = async (sql: Sql): Promise<KeyUsageRow[]> =>
  await sql.query<KeyUsageRow>(
    `SELECT k.version, k.created_at AS "createdAt", k.retired_at AS "retiredAt",
       (SELECT count(*)::int FROM tokens t WHERE t.key_version = k.version AND t.sealed_number IS NOT NULL) AS tokens
     FROM vault_keys k ORDER BY k.version`,
  );

export const insertRotation = async (tx: Tx, toVersion: number, at: Date): Promise<void> => {
  await tx.execute('INSERT INTO vault_rotations (to_version, started_at) VALUES ($1, $2)', [toVersion, at]);
};

export const latestRotation = async (sql: Sql): Promise<RotationRow | undefined> => {
  const [row] = await sql.query<RotationRow>(
    `SELECT ${ROTATION_COLUMNS} FROM vault_rotations ORDER BY to_version DESC LIMIT 1`,
  );
  return row;
};

/** The rotation that is not finished, for this transaction alone; undefined when there is none or another instance has it. */
export const takeRotation = async (tx: Tx): Promise<RotationRow | undefined> => {
  const [row] = await tx.query<RotationRow>(
    `SELECT ${ROTATION_COLUMNS} FROM vault_rotations WHERE finished_at IS NULL
     ORDER BY to_version LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  return row;
};

export const advanceRotation = async (tx: Tx, toVersion: number, cursor: string, count: number): Promise<void> => {
  await tx.execute('UPDATE vault_rotations SET cursor = $2, reencrypted = reencrypted + $3 WHERE to_version = $1', [
    toVersion,
    cursor,
    count,
  ]);
};

/** Waits for every transaction that still seals under an older key. */
export const lockOlderKeys = async (tx: Tx, toVersion: number): Promise<void> => {
  await tx.execute('SELECT FROM vault_keys WHERE version < $1 AND retired_at IS NULL ORDER BY version FOR UPDATE', [
    toVersion,
  ]);
};

export const olderKeysInUse = async (tx: Tx, toVersion: number): Promise<boolean> => {
  const [row] = await tx.query<{ inUse: boolean }>(
    `SELECT EXISTS (SELECT FROM tokens WHERE key_version < $1 AND sealed_number IS NOT NULL) AS "inUse"`,
    [toVersion],
  );
  return row?.inUse ?? false;
};

export const finishRotation = async (tx: Tx, toVersion: number, at: Date): Promise<void> => {
  await tx.execute('UPDATE vault_keys SET retired_at = $2 WHERE version < $1 AND retired_at IS NULL', [toVersion, at]);
  await tx.execute('UPDATE vault_rotations SET finished_at = $2 WHERE to_version = $1', [toVersion, at]);
};
