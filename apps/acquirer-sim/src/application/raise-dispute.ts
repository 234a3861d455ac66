import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { RaiseAcquirerDispute } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import type { AcquirerName } from '../domain/acquirers.js';
import { lockAuthorization } from '../store/authorizations.js';
import {
  chargedBackMinor,
  type DisputeRow,
  findCapturedAuthorization,
  insertDispute,
  lockDisputes,
} from '../store/disputes.js';
import { deleteDueDispute, type DueDispute, setDueDisputeState } from '../store/due-disputes.js';
import { EnterDisputeState } from './enter-dispute-state.js';

const EVIDENCE_DUE_SECONDS = 7 * 86_400;
const MS_PER_SECOND = 1_000;

interface Claimed {
  readonly authorizationId: string;
  /** Null: all that is left. */
  readonly amountMinor: bigint | null;
  readonly reason: string;
  readonly evidenceDueInSeconds: number;
}

/** The payer disputes what was captured from him. */
@Injectable()
export class RaiseDispute {
  constructor(
    private readonly database: Database,
    private readonly enterState: EnterDisputeState,
  ) {}

  /**
   * By the control route.
   *
   * @throws Problem resource_not_found: no such authorization, or nothing was captured
   * @throws Problem validation_failed: more than was captured and is not charged back yet
   */
  async byControl(acquirer: AcquirerName, request: RaiseAcquirerDispute): Promise<DisputeRow> {
    const authorizationId =
      request.authorizationId ?? (await findCapturedAuthorization(this.database, acquirer, request.paymentId ?? ''));
    if (authorizationId === undefined) throw new Problem('resource_not_found', { detail: 'Nothing was captured.' });
    const row = await this.database.transaction(async (tx) => {
      return await this.raise(tx, acquirer, {
        authorizationId,
        amountMinor: request.amount === undefined ? null : BigInt(request.amount),
        reason: request.reason,
        evidenceDueInSeconds: request.evidenceDueInSeconds ?? EVIDENCE_DUE_SECONDS,
      });
    });
    if (row !== undefined) return row;
    throw new Problem('validation_failed', { detail: 'It is more than was captured and is not charged back yet.' });
  }

  /** By the card. What is not there any more to dispute is not disputed. */
  async whenDue(due: DueDispute): Promise<void> {
    await this.database.transaction(async (tx) => {
      if (!(await deleteDueDispute(tx, due))) return;
      const { authorizationId, amountMinor } = due;
      const claimed = { authorizationId, reason: 'fraudulent', evidenceDueInSeconds: EVIDENCE_DUE_SECONDS };
      if (await this.raise(tx, due.acquirer, { ...claimed, amountMinor })) return;
      await this.raise(tx, due.acquirer, { ...claimed, amountMinor: null });
    });
  }

  /**
   * Refunds do not count when an amount is named: a bank may take back what was refunded, and it is for the merchant to say
   * so.
   *
   * @returns undefined where so much is not there
   */
  private async raise(tx: Tx, acquirer: AcquirerName, claimed: Claimed): Promise<DisputeRow | undefined> {
    const { authorizationId, reason, evidenceDueInSeconds } = claimed;
    const authorization = await lockAuthorization(tx, acquirer, authorizationId);
    if (authorization === undefined) throw new Problem('resource_not_found', { detail: 'Unknown authorization.' });
    await lockDisputes(tx, acquirer);
    const left = authorization.capturedMinor - (await chargedBackMinor(tx, acquirer, authorizationId));
    const amountMinor = claimed.amountMinor ?? left - authorization.refundedMinor;
    if (amountMinor <= 0n || amountMinor > left) return undefined;
    const at = new Date();
    const disputeId = `${acquirer}-dispute_${randomUUID()}`;
    const evidenceDueBy = new Date(at.getTime() + evidenceDueInSeconds * MS_PER_SECOND);
    const { paymentId, merchantId, currency } = authorization;
    await insertDispute(tx, {
      acquirer,
      disputeId,
      authorizationId,
      paymentId,
      merchantId,
      amountMinor,
      currency,
      reason,
      evidenceDueBy,
      createdAt: at,
    });
    const row = await this.enterState.run(tx, acquirer, disputeId, 'NEEDS_RESPONSE', at);
    await setDueDisputeState(tx, { acquirer, disputeId, status: 'EXPIRED' }, evidenceDueBy);
    return row;
  }
}
