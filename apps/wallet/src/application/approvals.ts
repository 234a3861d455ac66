import { Injectable } from '@nestjs/common';
import { ServiceUnavailableError, RemoteProblem } from '@payflow/clients';
import type { ListApprovalsQuery, Principal, WalletApproval } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Idempotency, Logger, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { PaymentsClient } from '../clients/payments-client.js';
import { type ApprovalRow, findApproval, listApprovals, lockOrder, moveOrder } from '../store/wallet-orders.js';
import { lockWallets } from '../store/wallets.js';
import { HoldPostings } from './hold-postings.js';
import { KnowOwners } from './know-owners.js';
import { TwoCommits } from './two-commits.js';
import { WalletOrders } from './wallet-orders.js';

/**
 * What merchants ask of wallets, for their owners to decide. The order itself is the approval: approved, it is held like any
 * other, declined, it stays declined for ever. The payment service is told at once, and asks by itself if that is lost.
 */
@Injectable()
export class Approvals {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly commits: TwoCommits,
    private readonly orders: WalletOrders,
    private readonly steps: HoldPostings,
    private readonly owners: KnowOwners,
    private readonly payments: PaymentsClient,
    private readonly logger: Logger,
  ) {}

  async page(
    caller: Principal,
    { cursor, limit, status }: ListApprovalsQuery,
  ): Promise<{ data: WalletApproval[]; nextCursor: string | null }> {
    const rows = await listApprovals(this.database, caller.id, cursor, limit + 1);
    const page = rows.slice(0, limit);
    const data = page.map(approvalView).filter((view) => status === undefined || view.status === status);
    return { data, nextCursor: rows.length > limit ? (page.at(-1)?.reference ?? null) : null };
  }

  /** @throws Problem approval_not_found also for a stranger's */
  async one(caller: Principal, approvalId: string): Promise<WalletApproval> {
    return approvalView(await this.own(caller, approvalId));
  }

  /** @throws Problem approval_not_found | approval_not_open */
  async decide(
    caller: Principal,
    approvalId: string,
    decision: 'approve' | 'decline',
    meta: RequestMeta,
  ): Promise<StoredAnswer> {
    const { walletId, paymentId } = await this.own(caller, approvalId);
    if (decision === 'approve' && (await this.owners.known(caller.id))?.verified !== true)
      await this.owners.refresh(caller.id);
    return await this.commits.run(this.idempotency.identify({ meta, principal: caller, body: null }), {
      resourceId: approvalId,
      moneyMoving: decision === 'approve',
      decide: async (tx) => {
        const order = await lockOrder(tx, approvalId);
        if (order === undefined || standingOf(order) !== 'WAITING') throw new Problem('approval_not_open');
        if (decision === 'decline') {
          await moveOrder(tx, approvalId, { status: 'DECLINED', declineCode: 'declined_by_owner', holdId: null });
          return;
        }
        const [wallet] = await lockWallets(tx, [walletId ?? '']);
        if (wallet?.ownerId !== caller.id) throw new Problem('approval_not_found');
        const held = await this.orders.hold(tx, order, wallet, true);
        if ('kind' in held) throw new Problem('verification_required');
        await moveOrder(tx, approvalId, held);
      },
      carryOut: async () => {
        const { holdId } = await this.own(caller, approvalId);
        if (holdId !== null) await this.steps.carryOut(holdId);
        await this.tell(paymentId, approvalId);
      },
      answer: async () => ({ status: 200, body: approvalView(await this.own(caller, approvalId)) }),
    });
  }

  /** Safe to go on without: the payment service asks about what waits for a payer, on its own schedule. */
  private async tell(paymentId: string, approvalId: string): Promise<void> {
    try {
      await this.payments.sync(paymentId, `${approvalId}:decided`);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError || error instanceof RemoteProblem)) throw error;
      this.logger.warn({ err: error, paymentId }, 'the payment service could not be told of a decision');
    }
  }

  private async own(caller: Principal, approvalId: string): Promise<ApprovalRow> {
    const row = await findApproval(this.database, approvalId);
    if (row?.ownerId !== caller.id) throw new Problem('approval_not_found');
    return row;
  }
}

const standingOf = ({
  status,
  declineCode,
  expiresAt,
}: Pick<ApprovalRow, 'status' | 'declineCode' | 'expiresAt'>): WalletApproval['status'] => {
  if (status === 'WAITING') return expiresAt !== null && expiresAt <= new Date() ? 'EXPIRED' : 'WAITING';
  if (status === 'DECLINED') return declineCode === 'reversed' ? 'EXPIRED' : 'DECLINED';
  return 'APPROVED';
};

const approvalView = (row: ApprovalRow): WalletApproval => ({
  approvalId: row.reference,
  walletId: row.walletId ?? '',
  merchantId: row.merchantId,
  paymentId: row.paymentId,
  amount: minorToJson(row.amountMinor),
  currency: row.currency,
  description: row.description,
  status: standingOf(row),
  reason: row.declineCode,
  expiresAt: row.expiresAt?.toISOString() ?? '',
  createdAt: row.createdAt.toISOString(),
});
