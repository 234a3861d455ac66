/** A refresh token as the database knows it. */
export interface KnownRefreshToken {
  readonly expiresAt: Date;
  readonly rotatedAt: Date | null;
  /** The token that took its place was used in its turn. */
  readonly successorUsed: boolean;
}

/** Its session. */
export interface KnownSession {
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  readonly userStatus: 'ACTIVE' | 'BLOCKED';
}

/**
 * For so long a rotated token still answers its successor, the same one again: the answer to the first try may have been
 * lost on the way, or never sent because the process died and takes a while to come back. Nothing new comes of it, and once the successor was used the
 * answer has evidently arrived.
 */
export const REFRESH_GRACE_MS = 30_000;

export type RefreshDecision = 'rotate' | 'repeat' | 'refuse' | 'end_session';

/** What becomes of a refresh token that is shown (OAuth 2.0 Security BCP, RFC 9700 §4.14.2: rotation with reuse detection). */
export const decideRefresh = (token: KnownRefreshToken, session: KnownSession, now: Date): RefreshDecision => {
  if (session.endedAt !== null || session.expiresAt <= now || session.userStatus === 'BLOCKED') return 'refuse';
  if (token.rotatedAt === null) return token.expiresAt > now ? 'rotate' : 'refuse';
  if (!token.successorUsed && now.getTime() - token.rotatedAt.getTime() < REFRESH_GRACE_MS) return 'repeat';
  return 'end_session';
};
