import type { Role } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { LoginName } from '../domain/login-name.js';

/** A person, as staff sees him: without his password. */
export interface ListedUser {
  readonly id: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly emailVerifiedAt: Date | null;
  readonly phoneVerifiedAt: Date | null;
  readonly name: string | null;
  readonly status: 'ACTIVE' | 'BLOCKED';
  readonly roles: readonly Role[];
  readonly createdAt: Date;
}

const COLUMNS = `id, username, email, phone, email_verified_at AS "emailVerifiedAt", phone_verified_at AS "phoneVerifiedAt",
  name, status, roles, created_at AS "createdAt"`;

const NAMED = {
  username: 'username = $4',
  email: 'email = $4',
  phone: 'phone = $4',
} as const satisfies Record<LoginName['kind'], string>;

/** The newest first. `before`: the id of the last one shown. */
export const listUsers = async (
  sql: Sql,
  filter: { readonly status: string | undefined; readonly name: LoginName | undefined },
  before: string | undefined,
  limit: number,
): Promise<readonly ListedUser[]> =>
  await sql.query<ListedUser>(
    `SELECT ${COLUMNS} FROM users
      WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR id < $2)
        AND ${filter.name === undefined ? '$4::text IS NULL' : NAMED[filter.name.kind]}
      ORDER BY id DESC LIMIT $3`,
    [filter.status ?? null, before ?? null, limit, filter.name?.value ?? null],
  );

export const findListedUser = async (sql: Sql, id: string): Promise<ListedUser | undefined> =>
  (await sql.query<ListedUser>(`SELECT ${COLUMNS} FROM users WHERE id = $1`, [id]))[0];

export const setUserStatus = async (tx: Tx, id: string, status: 'ACTIVE' | 'BLOCKED'): Promise<void> => {
  await tx.execute('UPDATE users SET status = $2 WHERE id = $1', [id, status]);
};

export const setUserRoles = async (tx: Tx, id: string, roles: readonly Role[]): Promise<void> => {
  await tx.execute('UPDATE users SET roles = $2 WHERE id = $1', [id, roles]);
};

/** Any number that no other lock of the database uses. */
const ADMINS_LOCK = 7_201_523;

/** Two admins who take the role from each other take turns. */
export const lockAdmins = async (tx: Tx): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock($1)', [ADMINS_LOCK]);
};

/** Whether somebody else could still undo what is done to this one. */
export const hasOtherAdmin = async (tx: Tx, id: string): Promise<boolean> =>
  (
    await tx.query<{ other: boolean }>(
      `SELECT EXISTS (SELECT FROM users WHERE 'admin' = ANY (roles) AND status = 'ACTIVE' AND id <> $1) AS other`,
      [id],
    )
  )[0]?.other === true;
