import type { Sql } from '@payflow/postgres';

import type { Owner } from '../domain/wallet.js';

/** A row of `wallet_owners`. */
export interface OwnerRow extends Owner {
  readonly username: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly emailVerified: boolean;
  readonly phoneVerified: boolean;
}

export type Channel = 'email' | 'phone';

const COLUMNS = `
  user_id AS "userId", username, email, phone, email_verified AS "emailVerified", phone_verified AS "phoneVerified",
  verified, status`;

export const findOwner = async (sql: Sql, userId: string): Promise<OwnerRow | undefined> => {
  const [row] = await sql.query<OwnerRow>(`SELECT ${COLUMNS} FROM wallet_owners WHERE user_id = $1`, [userId]);
  return row;
};

export const findOwnerByUsername = async (sql: Sql, username: string): Promise<OwnerRow | undefined> => {
  const [row] = await sql.query<OwnerRow>(
    `SELECT ${COLUMNS} FROM wallet_owners WHERE lower(username) = lower($1) LIMIT 1`,
    [username],
  );
  return row;
};

/**
 * Who has shown that the address is his. Two, where one has left it to the other and the event that tells so is still to come.
 */
export const findOwnersByAddress = async (sql: Sql, channel: Channel, address: string): Promise<OwnerRow[]> =>
  await sql.query<OwnerRow>(
    channel === 'email'
      ? `SELECT ${COLUMNS} FROM wallet_owners WHERE email = $1 AND email_verified LIMIT 2`
      : `SELECT ${COLUMNS} FROM wallet_owners WHERE phone = $1 AND phone_verified LIMIT 2`,
    [address],
  );

/** As auth says it now. */
export const storeOwner = async (sql: Sql, owner: OwnerRow): Promise<void> => {
  await sql.execute(
    `INSERT INTO wallet_owners (user_id, username, email, phone, email_verified, phone_verified, verified, status)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (user_id) DO UPDATE
        SET username = excluded.username, email = excluded.email, phone = excluded.phone,
            email_verified = excluded.email_verified, phone_verified = excluded.phone_verified,
            verified = excluded.verified, status = excluded.status, updated_at = now()`,
    [
      owner.userId,
      owner.username,
      owner.email,
      owner.phone,
      owner.emailVerified,
      owner.phoneVerified,
      owner.verified,
      owner.status,
    ],
  );
};

/** Somebody has an account. What auth was asked in the meantime is newer than the event. */
export const insertOwner = async (sql: Sql, owner: OwnerRow): Promise<void> => {
  await sql.execute(
    `INSERT INTO wallet_owners (user_id, username, email, phone, email_verified, phone_verified, verified, status)
     VALUES ($1, $2, $3, $4, false, false, $5, 'ACTIVE') ON CONFLICT (user_id) DO NOTHING`,
    [owner.userId, owner.username, owner.email, owner.phone, owner.verified],
  );
};

export const markVerified = async (
  sql: Sql,
  userId: string,
  { channel, address, complete }: { readonly channel: Channel; readonly address: string; readonly complete: boolean },
): Promise<void> => {
  const column = channel === 'email' ? 'email' : 'phone';
  await sql.execute(
    `INSERT INTO wallet_owners (user_id, ${column}, ${column}_verified, verified) VALUES ($1, $2, true, $3)
     ON CONFLICT (user_id) DO UPDATE
        SET ${column} = excluded.${column}, ${column}_verified = true, verified = excluded.verified, updated_at = now()`,
    [userId, address, complete],
  );
};

/** Of a person no event has told of, the event of his registration will tell the rest. */
export const markStatus = async (sql: Sql, userId: string, status: Owner['status']): Promise<void> => {
  await sql.execute(
    `INSERT INTO wallet_owners (user_id, verified, status) VALUES ($1, false, $2)
     ON CONFLICT (user_id) DO UPDATE SET status = excluded.status, updated_at = now()`,
    [userId, status],
  );
};
