import { Injectable } from '@nestjs/common';
import type { AuditAction, MembershipRole } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';

import { grantableBy, scopesOfMembership } from '../domain/scopes.js';
import { TokenIssuer } from '../keys/token-issuer.js';
import { appendAudit } from '../store/audit-log.js';
import {
  deleteMembership,
  type InvitedAs,
  lockMembers,
  type Membership,
  saveMembership,
} from '../store/memberships.js';
import { lockMerchant } from '../store/merchants.js';
import { revoke } from '../store/revocations.js';
import { endSessionsForMerchant } from '../store/sessions.js';
import type { Actor } from './actor.js';

export type MemberOutcome = 'done' | 'merchant_not_found' | 'member_not_found' | 'last_owner' | 'role_beyond_caller';
/** Of what a person does about his own. */
export type OwnMembershipOutcome = 'done' | 'membership_not_found' | 'last_owner';

type MemberAction = Extract<AuditAction, `member.${string}` | `membership.${string}`>;

/** The people who act for a merchant. */
@Injectable()
export class Members {
  constructor(private readonly tokens: TokenIssuer) {}

  /**
   * Invites, or changes a role. Nobody makes somebody else more than he is himself, nor a person act for a merchant without
   * his consent: staff alone gives memberships that count at once.
   */
  async save(
    tx: Tx,
    actor: Actor,
    membership: { readonly merchantId: string; readonly userId: string; readonly role: MembershipRole },
    typed: InvitedAs,
  ): Promise<MemberOutcome> {
    const { merchantId, userId, role } = membership;
    if (!(await lockMerchant(tx, merchantId))) return 'merchant_not_found';
    const members = await lockMembers(tx, merchantId);
    const before = members.find((member) => member.userId === userId);
    const status = actor.principal.scopes.includes('users:write') ? 'ACTIVE' : (before?.status ?? 'INVITED');
    if (before?.role === role && before.status === status) return 'done';
    const grantable = grantableBy(actor.principal);
    if (!scopesOfMembership(role).every((scope) => grantable.includes(scope))) return 'role_beyond_caller';
    if (role !== 'OWNER' && isLastOwner(members, userId)) return 'last_owner';
    const invited = status === 'INVITED';
    await saveMembership(tx, { merchantId, userId, role, status, invitedAs: invited ? typed : null });
    await this.log(tx, actor, invited ? 'member.invited' : 'member.saved', { merchantId, userId, role });
    // What he was more than he is, his tokens still say.
    if (before?.role === 'OWNER') await this.endSessions(tx, merchantId, userId);
    return 'done';
  }

  async remove(tx: Tx, actor: Actor, merchantId: string, userId: string): Promise<MemberOutcome> {
    if (!(await lockMerchant(tx, merchantId))) return 'merchant_not_found';
    const members = await lockMembers(tx, merchantId);
    if (!members.some((member) => member.userId === userId)) return 'member_not_found';
    if (isLastOwner(members, userId)) return 'last_owner';
    await this.end(tx, actor, 'member.removed', { merchantId, userId });
    return 'done';
  }

  /** The person agrees to act for the merchant. Of many who agree at once the first does it. */
  async accept(tx: Tx, actor: Actor, merchantId: string): Promise<OwnMembershipOutcome> {
    const userId = actor.principal.id;
    const membership = (await lockMembers(tx, merchantId)).find((member) => member.userId === userId);
    if (!membership) return 'membership_not_found';
    if (membership.status === 'ACTIVE') return 'done';
    await saveMembership(tx, { ...membership, status: 'ACTIVE', invitedAs: null });
    await this.log(tx, actor, 'membership.accepted', { merchantId, userId, role: membership.role });
    return 'done';
  }

  /** The person declines the invitation, or does not act for the merchant any more. */
  async leave(tx: Tx, actor: Actor, merchantId: string): Promise<OwnMembershipOutcome> {
    const userId = actor.principal.id;
    const members = await lockMembers(tx, merchantId);
    const membership = members.find((member) => member.userId === userId);
    if (!membership) return 'membership_not_found';
    if (isLastOwner(members, userId)) return 'last_owner';
    const action = membership.status === 'INVITED' ? 'membership.declined' : 'membership.left';
    await this.end(tx, actor, action, { merchantId, userId });
    return 'done';
  }

  private async end(
    tx: Tx,
    actor: Actor,
    action: MemberAction,
    details: { readonly merchantId: string; readonly userId: string },
  ): Promise<void> {
    const { merchantId, userId } = details;
    await deleteMembership(tx, merchantId, userId);
    await this.log(tx, actor, action, details);
    await this.endSessions(tx, merchantId, userId);
  }

  private async endSessions(tx: Tx, merchantId: string, userId: string): Promise<void> {
    await revoke(tx, await endSessionsForMerchant(tx, userId, merchantId), this.tokens.lastExpiry());
  }

  private async log(
    tx: Tx,
    actor: Actor,
    action: MemberAction,
    details: { readonly merchantId: string; readonly userId: string; readonly role?: MembershipRole },
  ): Promise<void> {
    const { principal, requestId } = actor;
    await appendAudit(tx, { actor: principal.id, action, target: details.userId, requestId, details });
  }
}

/** Who is invited may never come: he does not count. */
const isLastOwner = (members: readonly Membership[], userId: string): boolean => {
  const owners = members.filter(({ role, status }) => role === 'OWNER' && status === 'ACTIVE');
  return owners.length === 1 && owners[0]?.userId === userId;
};
