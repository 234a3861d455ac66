import type { Tx } from '@payflow/postgres';

export interface FoundRefreshToken {
  readonly sessionId: string;
  readonly userId: string;
  readonly expiresAt: Date;
  readonly rotatedAt: Date | null;
  readonly successorUsed: boolean;
  readonly sessionExpiresAt: Date;
  readonly sessionEndedAt: Date | null;
}

/**
 * The token with its session, which is locked: of several who show tokens of one session each sees what the one before did.
 * The session is locked by a statement of its own, so that the second one reads what was committed while it waited.
 */
export const lockRefreshToken = async (tx: Tx, hash: Buffer): Promise<FoundRefreshToken | undefined> => {
  await tx.query(
    'SELECT 1 FROM sessions WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $1) FOR UPDATE',
    [hash],
  );
  const rows = await tx.query<FoundRefreshToken>(
    `SELECT token.session_id AS "sessionId", session.user_id AS "userId", token.expires_at AS "expiresAt",
            token.rotated_at AS "rotatedAt", successor.rotated_at IS NOT NULL AS "successorUsed",
            session.expires_at AS "sessionExpiresAt", session.ended_at AS "sessionEndedAt"
       FROM refresh_tokens token
       JOIN sessions session ON session.id = token.session_id
       LEFT JOIN refresh_tokens successor ON successor.hash = token.successor
      WHERE token.hash = $1`,
    [hash],
  );
  return rows[0];
};

export const insertRefreshToken = async (
  tx: Tx,
  token: { readonly hash: Buffer; readonly sessionId: string; readonly createdAt: Date; readonly expiresAt: Date },
): Promise<void> => {
  await tx.execute('INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)', [
    token.hash,
    token.sessionId,
    token.createdAt,
    token.expiresAt,
  ]);
};

/** The successor is inserted after this: of a session one token is open. */
export const rotateRefreshToken = async (
  tx: Tx,
  token: { readonly hash: Buffer; readonly successor: Buffer; readonly sessionId: string; readonly rotatedAt: Date },
): Promise<void> => {
  await tx.execute('UPDATE refresh_tokens SET rotated_at = $2, successor = $3 WHERE hash = $1', [
    token.hash,
    token.rotatedAt,
    token.successor,
  ]);
  await tx.execute('UPDATE sessions SET last_used_at = $2 WHERE id = $1', [token.sessionId, token.rotatedAt]);
};

/** When a token expires, for an answer that repeats it. */
export const refreshTokenExpiry = async (tx: Tx, hash: Buffer): Promise<Date> => {
  const [row] = await tx.query<{ expiresAt: Date }>(
    'SELECT expires_at AS "expiresAt" FROM refresh_tokens WHERE hash = $1',
    [hash],
  );
  if (!row) throw new Error('invariant: a rotated refresh token without its successor');
  return row.expiresAt;
};
