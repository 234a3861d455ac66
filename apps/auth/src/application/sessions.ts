import { Injectable } from '@nestjs/common';
import type { Role } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig } from '@payflow/service';

import type { AuthConfig } from '../auth.config.js';
import { hashRefreshToken, newRefreshToken, successorOf } from '../credentials/refresh-token.js';
import { scopesOfMembership, scopesOfRoles } from '../domain/scopes.js';
import { decideRefresh } from '../domain/session.js';
import { type IssuedToken, TokenIssuer } from '../keys/token-issuer.js';
import {
  insertRefreshToken,
  lockRefreshToken,
  refreshTokenExpiry,
  rotateRefreshToken,
} from '../store/refresh-tokens.js';
import { type Membership, membershipsOf } from '../store/memberships.js';
import { revoke } from '../store/revocations.js';
import {
  deleteExpiredSessions,
  type EndReason,
  endSession,
  endSessionsOf,
  insertSession,
  sessionMerchant,
  setSessionMerchant,
} from '../store/sessions.js';
import { findUser, isVerified, type User } from '../store/users.js';
import { AccountKeys } from './account-keys.js';

/** The client that people log in through. */
const FIRST_PARTY_CLIENT = 'payflow';

/** Who logged in, as far as the session's list tells him. */
export interface Device {
  readonly address: string;
  readonly userAgent: string | null;
}

/** A session's tokens, as they go out. */
export interface SessionTokens {
  readonly userId: string;
  readonly sessionId: string;
  readonly verified: boolean;
  readonly access: IssuedToken;
  readonly scopes: readonly string[];
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

/** One login in so many clears away what has expired: an ended session is kept as long as it would have lived. */
const CLEANUP_ONE_IN = 200;

/** Logins of people: begun with a password, prolonged by refresh tokens, ended by their owner or because one was stolen. */
@Injectable()
export class Sessions {
  constructor(
    private readonly database: Database,
    private readonly tokens: TokenIssuer,
    private readonly keys: AccountKeys,
    @InjectConfig()
    private readonly config: Pick<AuthConfig, 'REFRESH_TOKEN_SECONDS' | 'SESSION_SECONDS_MAX'>,
  ) {}

  /** In the transaction that holds the user, so that a password that is changed at this moment ends this session too. */
  async open(tx: Tx, user: User, device: Device, membership?: Membership): Promise<SessionTokens> {
    const now = new Date();
    if (Math.random() * CLEANUP_ONE_IN < 1) await deleteExpiredSessions(tx, now);
    const sessionId = newId('ses');
    const expiresAt = after(now, this.config.SESSION_SECONDS_MAX);
    const refreshToken = newRefreshToken();
    const refreshExpiresAt = this.refreshExpiry(now, expiresAt);
    await insertSession(tx, { id: sessionId, userId: user.id, createdAt: now, lastUsedAt: now, expiresAt, ...device });
    if (membership) await setSessionMerchant(tx, sessionId, membership.merchantId);
    await insertRefreshToken(tx, {
      hash: hashRefreshToken(refreshToken),
      sessionId,
      createdAt: now,
      expiresAt: refreshExpiresAt,
    });
    return await this.tokensOf(user, { sessionId, refreshToken, refreshExpiresAt, now, membership });
  }

  /**
   * Takes a refresh token for a new one. A token that was taken before is a stolen one, and ends the session, unless it is
   * the repetition of a request whose answer was lost: that gets the same answer (domain/session.ts).
   *
   * @returns undefined when the token is of no use
   */
  async refresh(refreshToken: string): Promise<SessionTokens | undefined> {
    const answered = await this.database.transaction(async (tx) => await this.refreshIn(tx, refreshToken));
    if (answered) crashPoint('auth.refresh.after-rotate');
    return answered;
  }

  /** @returns whether it was open, and is his */
  async end(tx: Tx, sessionId: string, userId: string, reason: EndReason): Promise<boolean> {
    const ended = await endSession(tx, sessionId, userId, reason);
    if (ended) await revoke(tx, sessionId, this.tokens.lastExpiry());
    return ended;
  }

  /** Every session of a person, but for the one that asks. @returns how many were open */
  async endAll(tx: Tx, userId: string, reason: EndReason, exceptId?: string): Promise<number> {
    const ended = await endSessionsOf(tx, userId, reason, exceptId);
    await revoke(tx, ended, this.tokens.lastExpiry());
    return ended.length;
  }

  private async refreshIn(tx: Tx, refreshToken: string): Promise<SessionTokens | undefined> {
    const now = new Date();
    const hash = hashRefreshToken(refreshToken);
    const found = await lockRefreshToken(tx, hash);
    const user = found && (await findUser(tx, found.userId));
    if (!found || !user) return undefined;
    const session = { expiresAt: found.sessionExpiresAt, endedAt: found.sessionEndedAt, userStatus: user.status };
    const { sessionId } = found;
    const successor = successorOf(refreshToken, this.keys.refresh);
    const successorHash = hashRefreshToken(successor);
    switch (decideRefresh(found, session, now)) {
      case 'refuse':
        return undefined;
      case 'end_session':
        await this.end(tx, sessionId, user.id, 'reuse');
        return undefined;
      case 'rotate': {
        const membership = await this.membershipIn(tx, sessionId, user.id);
        const refreshExpiresAt = this.refreshExpiry(now, session.expiresAt);
        await rotateRefreshToken(tx, { hash, successor: successorHash, sessionId, rotatedAt: now });
        await insertRefreshToken(tx, { hash: successorHash, sessionId, createdAt: now, expiresAt: refreshExpiresAt });
        return await this.tokensOf(user, { sessionId, refreshToken: successor, refreshExpiresAt, now, membership });
      }
      case 'repeat': {
        const membership = await this.membershipIn(tx, sessionId, user.id);
        const refreshExpiresAt = await refreshTokenExpiry(tx, successorHash);
        return await this.tokensOf(user, { sessionId, refreshToken: successor, refreshExpiresAt, now, membership });
      }
    }
  }

  /** Whom he acts for, if he still may. */
  private async membershipIn(tx: Tx, sessionId: string, userId: string): Promise<Membership | undefined> {
    const merchantId = await sessionMerchant(tx, sessionId);
    if (merchantId === null) return undefined;
    return (await membershipsOf(tx, userId)).find((membership) => membership.merchantId === merchantId);
  }

  private async tokensOf(
    user: User,
    session: {
      readonly sessionId: string;
      readonly refreshToken: string;
      readonly refreshExpiresAt: Date;
      readonly now: Date;
      readonly membership: Membership | undefined;
    },
  ): Promise<SessionTokens> {
    const { membership } = session;
    const roles: readonly Role[] = membership ? [...user.roles, 'merchant'] : user.roles;
    const scopes = [
      ...new Set([...scopesOfRoles(user.roles), ...(membership ? scopesOfMembership(membership.role) : [])]),
    ];
    const access = await this.tokens.issue({
      id: user.id,
      kind: 'user',
      clientId: FIRST_PARTY_CLIENT,
      roles,
      scopes,
      merchantId: membership?.merchantId ?? null,
      username: user.username ?? user.email ?? user.phone,
      sessionId: session.sessionId,
    });
    return {
      userId: user.id,
      sessionId: session.sessionId,
      verified: isVerified(user),
      access,
      scopes,
      refreshToken: session.refreshToken,
      refreshExpiresInSeconds: Math.floor((session.refreshExpiresAt.getTime() - session.now.getTime()) / 1_000),
    };
  }

  private refreshExpiry(now: Date, sessionExpiresAt: Date): Date {
    return new Date(Math.min(after(now, this.config.REFRESH_TOKEN_SECONDS).getTime(), sessionExpiresAt.getTime()));
  }
}

const after = (from: Date, seconds: number): Date => new Date(from.getTime() + seconds * 1_000);
