import { Injectable } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, Logger } from '@payflow/service';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { PaymentEvent } from '../domain/events.js';
import type { PaymentException } from '../domain/exceptions.js';
import { operationOf, type Payment } from '../domain/payment.js';
import { recordOutcome } from '../domain/record-outcome.js';
import type { OutcomeRefusal } from '../domain/refusals.js';
import { lockTakenUpByOthers } from '../store/payment-attempts.js';
import type { Cause } from '../store/payment-events.js';
import { raiseException } from '../store/payment-exceptions.js';
import { AuthorizationLifetime } from './authorization-lifetime.js';
import { Commit } from './commit.js';
import { Fees } from './fees.js';
import { lockKnownPayment } from './load-payment.js';

export interface ReportedOutcome {
  /** For crash points: authorize, capture, cancel, refund. */
  readonly name: string;
  readonly paymentId: string;
  readonly operationId: string;
  readonly outcome: AcquirerOutcome;
  /** An earlier try of somebody else may have reached the acquirer: that this one did not proves nothing. */
  readonly perhapsSentBefore: boolean;
  /** Of whoever took the order up to send it; 0 is the request that gave it. */
  readonly fence?: number;
  readonly cause: Cause;
  /** What belongs to the same transaction: the answer to the caller, where one waits. */
  readonly conclude?: (tx: Tx, after: Payment) => Promise<void>;
}

/** The payment as it is now, and whether the outcome was news. Whoever brought the news does what follows from it. */
export interface Recorded {
  readonly payment: Payment;
  readonly isNews: boolean;
}

/** The one door for an acquirer's word on an operation: the answer itself now, inquiries and webhooks alike. */
@Injectable()
export class OutcomeRecorder {
  constructor(
    private readonly database: Database,
    private readonly commit: Commit,
    private readonly fees: Fees,
    private readonly logger: Logger,
    private readonly lifetime: AuthorizationLifetime,
  ) {}

  async record(report: ReportedOutcome): Promise<Recorded> {
    const { conclude } = report;
    const recorded = await this.database.transaction(async (tx) => {
      const before = await lockKnownPayment(tx, report.paymentId);
      const events = await this.eventsOf(tx, before, report);
      const payment = await this.commit.write(tx, {
        before,
        events,
        cause: report.cause,
        ...(conclude === undefined ? {} : { conclude: async (state) => await conclude(tx, state) }),
      });
      crashPoint(`payment.${report.name}.before-outcome-commit`);
      return { payment, isNews: events.length > 0 };
    });
    crashPoint(`payment.${report.name}.after-outcome-commit`);
    return recorded;
  }

  private async eventsOf(tx: Tx, before: Payment, report: ReportedOutcome): Promise<readonly PaymentEvent[]> {
    // Neither waits for the other: one round trip.
    const [feeTerms, expiresAt] = await Promise.all([
      this.fees.termsOf(tx, before.merchantId, before.currency),
      this.lifetime.endOfOneApprovedNow(tx),
    ]);
    const decision = recordOutcome(before, {
      at: new Date(),
      operationId: report.operationId,
      outcome: report.outcome,
      perhapsSentBefore: report.perhapsSentBefore || (await this.perhapsSentByOthers(tx, report)),
      feeTerms,
      expiresAt,
      nextAttemptId: newId('att'),
      reversalId: newId('vod'),
    });
    if (decision.ok) return decision.events;
    // Safe to go on: what is recorded stands, and people must look at the acquirer's books.
    this.logger.error({ refusal: decision.refusal, outcome: report.outcome }, 'the acquirer contradicts the record');
    if (decision.refusal.code === 'outcome_contradicts_record')
      await raiseException(tx, newId('pex'), before, contradictionOf(before, decision.refusal, report));
    return [];
  }

  /** Whoever was held up for longer than his lease: another may have sent meanwhile what he could not. */
  private async perhapsSentByOthers(tx: Tx, { outcome, operationId, fence = 0 }: ReportedOutcome): Promise<boolean> {
    return outcome.kind === 'not_sent' && (await lockTakenUpByOthers(tx, operationId, fence));
  }
}

type Contradiction = Extract<OutcomeRefusal, { code: 'outcome_contradicts_record' }>;

/** Both words, and where each can be looked up. */
const contradictionOf = (
  payment: Payment,
  { operationId, recorded, reported }: Contradiction,
  { outcome, cause }: ReportedOutcome,
): PaymentException => {
  const operation = operationOf(payment, operationId);
  return {
    operationId,
    kind: 'contradiction',
    detail: {
      operation: operation?.kind,
      acquirer: operation?.acquirer,
      recorded: { state: recorded, acquirerReference: operation?.acquirerReference, failure: operation?.failure },
      reported: {
        outcome: reported,
        ...('acquirerReference' in outcome ? { acquirerReference: outcome.acquirerReference } : {}),
        ...('declineCode' in outcome ? { declineCode: outcome.declineCode, message: outcome.message } : {}),
        requestId: cause.requestId,
      },
    },
  };
};
