import type { Sql, Tx } from '@payflow/postgres';

export type EndReason = 'logout' | 'password' | 'reuse' | 'blocked' | 'revoked';

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
  readonly address: string;
  readonly userAgent: string | null;
}

const COLUMNS = `id, user_id AS "userId", created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt",
  address, user_agent AS "userAgent"`;

export const insertSession = async (tx: Tx, session: Session): Promise<void> => {
  await tx.execute(
    `INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, address, user_agent)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      session.id,
      session.userId,
      session.createdAt,
      session.lastUsedAt,
      session.expiresAt,
      session.address,
      session.userAgent,
    ],
  );
};

/** Those that are open, the newest first. */
export const openSessionsOf = async (sql: Sql, userId: string): Promise<readonly Session[]> =>
  await sql.query<Session>(
    `SELECT ${COLUMNS} FROM sessions
      WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() ORDER BY created_at DESC, id DESC`,
    [userId],
  );

/** Asked with the person held: what ends all his sessions holds him too. */
export const isSessionOpen = async (tx: Tx, id: string): Promise<boolean> =>
  (await tx.query('SELECT 1 FROM sessions WHERE id = $1 AND ended_at IS NULL', [id])).length === 1;

/** Of several instances, the one that comes first is told true. */
export const endSession = async (tx: Tx, id: string, userId: string, reason: EndReason): Promise<boolean> =>
  (await tx.execute(
    'UPDATE sessions SET ended_at = now(), end_reason = $3 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL',
    [id, userId, reason],
  )) === 1;

/** @returns which sessions ended */
export const endSessionsOf = async (
  tx: Tx,
  userId: string,
  reason: EndReason,
  exceptId: string | undefined,
): Promise<readonly string[]> =>
  (
    await tx.query<{ id: string }>(
      `UPDATE sessions SET ended_at = now(), end_reason = $2
        WHERE user_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $3 RETURNING id`,
      [userId, reason, exceptId ?? null],
    )
  ).map(({ id }) => id);

/** Sessions whose last token expired a while ago, with their refresh tokens. */
export const deleteExpiredSessions = async (sql: Sql, before: Date): Promise<number> =>
  await sql.execute('DELETE FROM sessions WHERE expires_at < $1', [before]);

/** Those in which the person acts for the merchant. @returns which sessions ended */
export const endSessionsForMerchant = async (tx: Tx, userId: string, merchantId: string): Promise<readonly string[]> =>
  (
    await tx.query<{ id: string }>(
      `UPDATE sessions SET ended_at = now(), end_reason = 'revoked'
        WHERE user_id = $1 AND merchant_id = $2 AND ended_at IS NULL RETURNING id`,
      [userId, merchantId],
    )
  ).map(({ id }) => id);

/** Whom the person acts for in this session. */
export const setSessionMerchant = async (tx: Tx, id: string, merchantId: string | null): Promise<void> => {
  await tx.execute('UPDATE sessions SET merchant_id = $2 WHERE id = $1', [id, merchantId]);
};

export const sessionMerchant = async (sql: Sql, id: string): Promise<string | null> =>
  (
    await sql.query<{ merchantId: string | null }>('SELECT merchant_id AS "merchantId" FROM sessions WHERE id = $1', [
      id,
    ])
  )[0]?.merchantId ?? null;
