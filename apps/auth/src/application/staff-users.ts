import { Injectable } from '@nestjs/common';
import { type AuditAction, type Role, USER_EVENTS } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { TokenIssuer } from '../keys/token-issuer.js';
import { appendAudit } from '../store/audit-log.js';
import { lift, revoke } from '../store/revocations.js';
import { hasOtherAdmin, lockAdmins, setUserRoles, setUserStatus } from '../store/staff-users.js';
import { lockUser, type User } from '../store/users.js';
import type { Actor } from './actor.js';
import { Sessions } from './sessions.js';

export type StaffOutcome = 'done' | 'user_not_found' | 'last_admin';

/**
 * What staff does to a person's account. Each holds the user's row, as a login does: a login that races with a block has
 * either opened its session before, and it ends here, or finds the account blocked.
 */
@Injectable()
export class StaffUsers {
  constructor(
    private readonly sessions: Sessions,
    private readonly tokens: TokenIssuer,
    private readonly outbox: Outbox,
  ) {}

  async block(tx: Tx, actor: Actor, userId: string, reason: string): Promise<StaffOutcome> {
    await lockAdmins(tx);
    const user = await lockUser(tx, userId);
    if (!user) return 'user_not_found';
    if (user.status === 'BLOCKED') return 'done';
    if (await isLastAdmin(tx, user)) return 'last_admin';
    await setUserStatus(tx, userId, 'BLOCKED');
    await this.log(tx, actor, 'user.blocked', userId, { reason });
    await this.outbox.publish(tx, [{ definition: USER_EVENTS.blocked, ...about(userId), payload: { userId, reason } }]);
    await this.sessions.endAll(tx, userId, 'blocked');
    await revoke(tx, userId, this.tokens.lastExpiry());
    return 'done';
  }

  /** He logs in anew: the sessions of before stay ended. */
  async unblock(tx: Tx, actor: Actor, userId: string): Promise<StaffOutcome> {
    const user = await lockUser(tx, userId);
    if (!user) return 'user_not_found';
    if (user.status === 'ACTIVE') return 'done';
    await setUserStatus(tx, userId, 'ACTIVE');
    await this.log(tx, actor, 'user.unblocked', userId, {});
    await this.outbox.publish(tx, [{ definition: USER_EVENTS.unblocked, ...about(userId), payload: { userId } }]);
    await lift(tx, userId);
    return 'done';
  }

  /** Ends the sessions too: their tokens say what he was. */
  async setRoles(tx: Tx, actor: Actor, userId: string, roles: readonly Role[]): Promise<StaffOutcome> {
    await lockAdmins(tx);
    const user = await lockUser(tx, userId);
    if (!user) return 'user_not_found';
    if (!roles.includes('admin') && (await isLastAdmin(tx, user))) return 'last_admin';
    if (same(user.roles, roles)) return 'done';
    await setUserRoles(tx, userId, roles);
    await this.log(tx, actor, 'user.roles_changed', userId, { from: user.roles, to: roles });
    await this.sessions.endAll(tx, userId, 'revoked');
    return 'done';
  }

  /** @returns how many were open, or undefined when there is no such user */
  async endSessions(tx: Tx, actor: Actor, userId: string): Promise<number | undefined> {
    const user = await lockUser(tx, userId);
    if (!user) return undefined;
    await this.log(tx, actor, 'user.sessions_ended', userId, {});
    return await this.sessions.endAll(tx, userId, 'revoked');
  }

  private async log(tx: Tx, actor: Actor, action: AuditAction, target: string, details: object): Promise<void> {
    const { principal, requestId } = actor;
    await appendAudit(tx, { actor: principal.id, action, target, requestId, details: { ...details } });
  }
}

const about = (userId: string) => ({ aggregateId: userId, merchantId: null, key: userId, occurredAt: new Date() });

const isLastAdmin = async (tx: Tx, user: User): Promise<boolean> =>
  user.roles.includes('admin') && user.status === 'ACTIVE' && !(await hasOtherAdmin(tx, user.id));

const same = (some: readonly Role[], others: readonly Role[]): boolean =>
  some.length === others.length && some.every((role) => others.includes(role));
