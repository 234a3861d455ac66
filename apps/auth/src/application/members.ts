import { Injectable } from '@nestjs/common';
import type { MembershipRole } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';

import { grantableBy, scopesOfMembership } from '../domain/scopes.js';
import { TokenIssuer } from '../keys/token-issuer.js';
import { appendAudit } from '../store/audit-log.js';
import { deleteMembership, lockMembers, type Membership, saveMembership } from '../store/memberships.js';
import { lockMerchant } from '../store/merchants.js';
import { revoke } from '../store/revocations.js';
import { endSessionsForMerchant } from '../store/sessions.js';
import type { Actor } from './actor.js';

export type MemberOutcome = 'done' | 'merchant_not_found' | 'member_not_found' | 'last_owner' | 'role_beyond_caller';

/** The people who act for a merchant. */
@Injectable()
export class Members {
  constructor(private readonly tokens: TokenIssuer) {}

  /** Gives the membership, or changes its role. Nobody makes somebody else more than he is himself. */
  async save(
    tx: Tx,
    actor: Actor,
    membership: { readonly merchantId: string; readonly userId: string; readonly role: MembershipRole },
  ): Promise<MemberOutcome> {
    const { merchantId, userId, role } = membership;
    if (!(await lockMerchant(tx, merchantId))) return 'merchant_not_found';
    const members = await lockMembers(tx, merchantId);
    const before = members.find((member) => member.userId === userId);
    if (before?.role === role) return 'done';
    const grantable = grantableBy(actor.principal);
    if (!scopesOfMembership(role).every((scope) => grantable.includes(scope))) return 'role_beyond_caller';
    if (before?.role === 'OWNER' && isLastOwner(members, userId)) return 'last_owner';
    await saveMembership(tx, membership);
    await this.log(tx, actor, 'member.saved', { merchantId, userId, role });
    // What he was more than he is, his tokens still say.
    if (before?.role === 'OWNER') await this.endSessions(tx, merchantId, userId);
    return 'done';
  }

  async remove(tx: Tx, actor: Actor, merchantId: string, userId: string): Promise<MemberOutcome> {
    if (!(await lockMerchant(tx, merchantId))) return 'merchant_not_found';
    const members = await lockMembers(tx, merchantId);
    if (!members.some((member) => member.userId === userId)) return 'member_not_found';
    if (isLastOwner(members, userId)) return 'last_owner';
    await deleteMembership(tx, merchantId, userId);
    await this.log(tx, actor, 'member.removed', { merchantId, userId });
    await this.endSessions(tx, merchantId, userId);
    return 'done';
  }

  private async endSessions(tx: Tx, merchantId: string, userId: string): Promise<void> {
    await revoke(tx, await endSessionsForMerchant(tx, userId, merchantId), this.tokens.lastExpiry());
  }

  private async log(
    tx: Tx,
    actor: Actor,
    action: 'member.saved' | 'member.removed',
    details: { readonly merchantId: string; readonly userId: string; readonly role?: MembershipRole },
  ): Promise<void> {
    const { principal, requestId } = actor;
    await appendAudit(tx, { actor: principal.id, action, target: details.userId, requestId, details });
  }
}

const isLastOwner = (members: readonly Membership[], userId: string): boolean => {
  const owners = members.filter(({ role }) => role === 'OWNER');
  return owners.length === 1 && owners[0]?.userId === userId;
};
