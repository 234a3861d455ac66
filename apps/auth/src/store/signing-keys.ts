import type { Sql, Tx } from '@payflow/postgres';
import type { JWK } from 'jose';

import type { ScheduledKey } from '../domain/key-schedule.js';

export interface StoredSigningKey extends ScheduledKey {
  readonly publicJwk: JWK;
  readonly privateKeySealed: Buffer;
}

/** Any number that no other lock of the database uses. */
const ROTATION_LOCK = 7_201_520;

/** One rotation at a time, over all instances. */
export const lockKeys = async (tx: Tx): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock($1)', [ROTATION_LOCK]);
};

export const allKeys = async (sql: Sql): Promise<readonly StoredSigningKey[]> =>
  await sql.query<StoredSigningKey>(
    `SELECT kid, public_jwk AS "publicJwk", private_key_sealed AS "privateKeySealed", active_from AS "activeFrom",
            retire_at AS "retireAt"
       FROM signing_keys WHERE retire_at IS NULL OR retire_at > now() - interval '1 hour' ORDER BY created_at, kid`,
  );

export const insertKey = async (tx: Tx, key: StoredSigningKey): Promise<void> => {
  await tx.execute(
    `INSERT INTO signing_keys (kid, public_jwk, private_key_sealed, active_from, retire_at)
     VALUES ($1, $2, $3, $4, $5)`,
    [key.kid, JSON.stringify(key.publicJwk), key.privateKeySealed, key.activeFrom, key.retireAt],
  );
};

export const retireKey = async (tx: Tx, kid: string, retireAt: Date): Promise<void> => {
  await tx.execute('UPDATE signing_keys SET retire_at = $2 WHERE kid = $1', [kid, retireAt]);
};

export const activateKey = async (tx: Tx, kid: string, activeFrom: Date): Promise<void> => {
  await tx.execute('UPDATE signing_keys SET active_from = $2 WHERE kid = $1', [kid, activeFrom]);
};
