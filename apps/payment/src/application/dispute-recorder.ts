import { Injectable } from '@nestjs/common';
import { minorToJson, newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger } from '@payflow/service';

import type { ToldDispute } from '../clients/acquirer-port.js';
import { type UnrecordedReason, unrecordedDispute, unrecordedId } from '../domain/exceptions.js';
import type { Payment } from '../domain/payment.js';
import { recordDispute } from '../domain/record-dispute.js';
import type { DisputeWordRefusal } from '../domain/refusals.js';
import type { PaymentConfig } from '../payment.config.js';
import type { Cause } from '../store/payment-events.js';
import { endException, raiseException } from '../store/payment-exceptions.js';
import { lockPayment } from '../store/payments.js';
import { Commit } from './commit.js';
import { Fees } from './fees.js';
import { loadPayment } from './load-payment.js';

/** Recorded; or left to people, since there is no payment of ours to record it at. */
export type DisputeRecorded = 'recorded' | Extract<UnrecordedReason, 'unknown_payment' | 'not_of_payment'>;

const isOf = (payment: Payment, acquirer: string, told: ToldDispute): boolean =>
  payment.authorization?.acquirer === acquirer &&
  payment.authorization.acquirerReference === told.authorizationReference &&
  payment.currency === told.currency;

/** The one door for an acquirer's word on a dispute: the answer to an inquiry, or to our response. */
@Injectable()
export class DisputeRecorder {
  constructor(
    private readonly database: Database,
    private readonly commit: Commit,
    private readonly fees: Fees,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {}

  async record(acquirer: string, told: ToldDispute, cause: Cause): Promise<DisputeRecorded> {
    return await this.database.transaction(async (tx) => {
      const [known, before] = await Promise.all([lockPayment(tx, told.paymentId), loadPayment(tx, told.paymentId)]);
      if (!known || !before) return await this.leaveToPeople(tx, acquirer, null, told, 'unknown_payment');
      if (!isOf(before, acquirer, told)) return await this.leaveToPeople(tx, acquirer, before, told, 'not_of_payment');
      await this.write(tx, acquirer, before, told, cause);
      const operationId = unrecordedId(acquirer, told.acquirerReference);
      const resolved = { by: cause.principalId, resolution: 'It is recorded.' };
      await endException(tx, { operationId, kind: 'unrecorded_dispute' }, resolved);
      return 'recorded';
    });
  }

  /** The acquirer may have taken the money back, and no ledger of ours says so. */
  private async leaveToPeople(
    tx: Tx,
    acquirer: string,
    payment: Payment | null,
    told: ToldDispute,
    reason: Exclude<DisputeRecorded, 'recorded'>,
  ): Promise<Exclude<DisputeRecorded, 'recorded'>> {
    const { acquirerReference, paymentId, authorizationReference, amountMinor, currency, status } = told;
    this.logger.error({ acquirer, disputeReference: acquirerReference, reason }, 'a dispute is of no payment of ours');
    const amount = minorToJson(amountMinor);
    const word = { told: { paymentId, authorizationId: authorizationReference, amount, currency, status } };
    await raiseException(tx, newId('pex'), payment, unrecordedDispute(acquirer, acquirerReference, reason, word));
    return reason;
  }

  private async write(tx: Tx, acquirer: string, before: Payment, word: ToldDispute, cause: Cause): Promise<void> {
    const decision = recordDispute(before, {
      at: new Date(),
      acquirer,
      word,
      disputeId: newId('dp'),
      feeMinor: this.fees.ofDispute(before.merchantId, before.currency),
      feeReturnedWhenWon: this.config.DISPUTE_FEE_RETURNED_WHEN_WON,
    });
    if (!decision.ok) {
      // Safe to go on: what is recorded stands, and people must look at the acquirer's books.
      this.logger.error({ refusal: decision.refusal.code }, 'the acquirer contradicts the record of a dispute');
      await raiseException(tx, newId('pex'), before, contradictionOf(decision.refusal, acquirer, cause));
      return;
    }
    if (decision.events.length === 0) return;
    await this.commit.write(tx, { before, events: decision.events, cause });
    crashPoint('payment.dispute.before-record-commit');
  }
}

/** Both words, and where each can be looked up. */
const contradictionOf = (refusal: DisputeWordRefusal, acquirer: string, { requestId }: Cause) => ({
  operationId: refusal.disputeId,
  kind: 'contradiction' as const,
  detail: {
    operation: 'dispute',
    acquirer,
    recorded: { status: refusal.recorded, amount: minorToJson(refusal.recordedMinor) },
    reported: { status: refusal.reported, amount: minorToJson(refusal.reportedMinor), requestId },
  },
});
