import type { Role } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { LoginName } from '../domain/login-name.js';

export interface User {
  readonly id: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly passwordHash: string;
  readonly name: string | null;
  readonly status: 'ACTIVE' | 'BLOCKED';
  readonly roles: readonly Role[];
}

const COLUMNS = 'id, username, email, phone, password_hash AS "passwordHash", name, status, roles';

const BY_LOGIN_NAME = {
  username: `SELECT ${COLUMNS} FROM users WHERE username = $1`,
  email: `SELECT ${COLUMNS} FROM users WHERE email = $1`,
  phone: `SELECT ${COLUMNS} FROM users WHERE phone = $1`,
} as const satisfies Record<LoginName['kind'], string>;

export const findUserByLoginName = async (sql: Sql, login: LoginName): Promise<User | undefined> =>
  (await sql.query<User>(BY_LOGIN_NAME[login.kind], [login.value]))[0];

export const findUser = async (sql: Sql, id: string): Promise<User | undefined> =>
  (await sql.query<User>(`SELECT ${COLUMNS} FROM users WHERE id = $1`, [id]))[0];

/** @returns whether the user is new */
export const insertUser = async (tx: Tx, user: User): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO users (id, username, email, phone, password_hash, name, status, roles)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
    [user.id, user.username, user.email, user.phone, user.passwordHash, user.name, user.status, user.roles],
  )) === 1;
