import type { Role } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { Address, LoginName } from '../domain/login-name.js';

export interface User {
  readonly id: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  /** Null: the address is claimed and not proven. */
  readonly emailVerifiedAt: Date | null;
  readonly phoneVerifiedAt: Date | null;
  /** Takes the place of the address when it is proven. */
  readonly pendingEmail: string | null;
  readonly pendingPhone: string | null;
  readonly passwordHash: string;
  readonly name: string | null;
  readonly status: 'ACTIVE' | 'BLOCKED';
  readonly roles: readonly Role[];
}

/** A user with nothing but a password: the fields that most new ones leave empty. */
export const NEW_USER = {
  username: null,
  email: null,
  phone: null,
  emailVerifiedAt: null,
  phoneVerifiedAt: null,
  pendingEmail: null,
  pendingPhone: null,
  name: null,
  status: 'ACTIVE',
} as const satisfies Partial<User>;

/** Nothing of the account waits for verification: then it may move money (an account with a user name alone may). */
export const isVerified = (user: Pick<User, 'email' | 'emailVerifiedAt' | 'phone' | 'phoneVerifiedAt'>): boolean =>
  (user.email === null || user.emailVerifiedAt !== null) && (user.phone === null || user.phoneVerifiedAt !== null);

const COLUMNS = `id, username, email, phone, email_verified_at AS "emailVerifiedAt", phone_verified_at AS "phoneVerifiedAt",
  pending_email AS "pendingEmail", pending_phone AS "pendingPhone", password_hash AS "passwordHash", name, status, roles`;

export const findUser = async (sql: Sql, id: string): Promise<User | undefined> =>
  (await sql.query<User>(`SELECT ${COLUMNS} FROM users WHERE id = $1`, [id]))[0];

/** Held against changes of the password, the status and the addresses until the transaction ends. */
export const lockUser = async (tx: Tx, id: string): Promise<User | undefined> =>
  (await tx.query<User>(`SELECT ${COLUMNS} FROM users WHERE id = $1 FOR NO KEY UPDATE`, [id]))[0];

export const findUserByUsername = async (sql: Sql, username: string): Promise<User | undefined> =>
  (await sql.query<User>(`SELECT ${COLUMNS} FROM users WHERE username = $1`, [username]))[0];

const BY_PROVEN_ADDRESS = {
  email: `SELECT ${COLUMNS} FROM users WHERE email = $1 AND email_verified_at IS NOT NULL`,
  phone: `SELECT ${COLUMNS} FROM users WHERE phone = $1 AND phone_verified_at IS NOT NULL`,
} as const satisfies Record<Address['kind'], string>;

const NEWEST_CLAIM = {
  email: `SELECT ${COLUMNS} FROM users WHERE email = $1 AND email_verified_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1`,
  phone: `SELECT ${COLUMNS} FROM users WHERE phone = $1 AND phone_verified_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1`,
} as const satisfies Record<Address['kind'], string>;

/** Whose address it is: the one who has proven it. */
export const findOwnerOfAddress = async (sql: Sql, address: Address): Promise<User | undefined> =>
  (await sql.query<User>(BY_PROVEN_ADDRESS[address.kind], [address.value]))[0];

/** Who gave the address last and has not proven it. */
export const findNewestClaim = async (sql: Sql, address: Address): Promise<User | undefined> =>
  (await sql.query<User>(NEWEST_CLAIM[address.kind], [address.value]))[0];

const NEWEST_PENDING = {
  email: `SELECT ${COLUMNS} FROM users WHERE pending_email = $1 ORDER BY created_at DESC, id DESC LIMIT 1`,
  phone: `SELECT ${COLUMNS} FROM users WHERE pending_phone = $1 ORDER BY created_at DESC, id DESC LIMIT 1`,
} as const satisfies Record<Address['kind'], string>;

/** Who wants to have the address instead of another one, or beside his user name. */
export const findPendingClaim = async (sql: Sql, address: Address): Promise<User | undefined> =>
  (await sql.query<User>(NEWEST_PENDING[address.kind], [address.value]))[0];

/**
 * The accounts that a login name may mean. An address may mean two: its owner's, and the newest of those who only claim it
 * (docs/identity.md); always two look-ups, whatever is there.
 */
export const findLoginCandidates = async (sql: Sql, login: LoginName): Promise<readonly (User | undefined)[]> => {
  if (login.kind === 'username') return [await findUserByUsername(sql, login.value)];
  const address: Address = { kind: login.kind, value: login.value };
  return [await findOwnerOfAddress(sql, address), await findNewestClaim(sql, address)];
};

/** @returns whether the user is new: neither the id nor the user name was there */
export const insertUser = async (tx: Tx, user: User): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO users (id, username, email, phone, email_verified_at, phone_verified_at, password_hash, name, status, roles)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
    [
      user.id,
      user.username,
      user.email,
      user.phone,
      user.emailVerifiedAt,
      user.phoneVerifiedAt,
      user.passwordHash,
      user.name,
      user.status,
      user.roles,
    ],
  )) === 1;

export const setPasswordHash = async (tx: Tx, id: string, passwordHash: string): Promise<void> => {
  await tx.execute('UPDATE users SET password_hash = $2 WHERE id = $1', [id, passwordHash]);
};

export const setName = async (tx: Tx, id: string, name: string | null): Promise<void> => {
  await tx.execute('UPDATE users SET name = $2 WHERE id = $1', [id, name]);
};

const SET_CLAIM = {
  email: 'UPDATE users SET email = $2 WHERE id = $1 AND email_verified_at IS NULL',
  phone: 'UPDATE users SET phone = $2 WHERE id = $1 AND phone_verified_at IS NULL',
} as const satisfies Record<Address['kind'], string>;

/** Replaces an address that was never proven. */
export const setClaimedAddress = async (tx: Tx, id: string, address: Address): Promise<void> => {
  await tx.execute(SET_CLAIM[address.kind], [id, address.value]);
};

const SET_PENDING = {
  email: 'UPDATE users SET pending_email = $2 WHERE id = $1',
  phone: 'UPDATE users SET pending_phone = $2 WHERE id = $1',
} as const satisfies Record<Address['kind'], string>;

/** Null: nothing waits any more. */
export const setPendingAddress = async (
  tx: Tx,
  id: string,
  kind: Address['kind'],
  value: string | null,
): Promise<void> => {
  await tx.execute(SET_PENDING[kind], [id, value]);
};

const SET_PROVEN = {
  email: 'UPDATE users SET email = $2, email_verified_at = $3, pending_email = NULL WHERE id = $1',
  phone: 'UPDATE users SET phone = $2, phone_verified_at = $3, pending_phone = NULL WHERE id = $1',
} as const satisfies Record<Address['kind'], string>;

/** @throws a unique violation when somebody else has proven it meanwhile */
export const setProvenAddress = async (tx: Tx, id: string, address: Address, at: Date): Promise<void> => {
  await tx.execute(SET_PROVEN[address.kind], [id, address.value, at]);
};
