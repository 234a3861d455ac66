import { Injectable } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { type HeldPublications, Outbox } from '@payflow/messaging';
import { Database, type Sql, type Tx } from '@payflow/postgres';
import { crashPoint, Logger, Problem } from '@payflow/service';

import type { AcquirerOutcome, RecordOutcome } from '../domain/commands.js';
import type { PaymentEvent } from '../domain/events.js';
import type { PaymentException } from '../domain/exceptions.js';
import { operationOf, type Payment } from '../domain/payment.js';
import { recordOutcome } from '../domain/record-outcome.js';
import type { OutcomeRefusal } from '../domain/refusals.js';
import { lockTakenUpByOthers } from '../store/payment-attempts.js';
import type { Cause } from '../store/payment-events.js';
import { raiseException } from '../store/payment-exceptions.js';
import { AuthorizationLifetime } from './authorization-lifetime.js';
import { Commit, type Written } from './commit.js';
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
  /** The payment as the same request has just written it: unless somebody was faster, it need not be read again. */
  readonly known?: Written | undefined;
  /** What belongs to the same transaction: the answer to the caller, where one waits. */
  readonly conclude?: (tx: Tx, after: Payment) => Promise<void>;
}

/** The payment as it is now, and whether the outcome was news. Whoever brought the news does what follows from it. */
export interface Recorded extends Written {
  readonly isNews: boolean;
}

/** The one door for an acquirer's word on an operation: the answer itself now, inquiries and webhooks alike. */
@Injectable()
export class OutcomeRecorder {
  constructor(
    private readonly database: Database,
    private readonly commit: Commit,
    private readonly outbox: Outbox,
    private readonly fees: Fees,
    private readonly logger: Logger,
    private readonly lifetime: AuthorizationLifetime,
  ) {}

  async record(report: ReportedOutcome): Promise<Recorded> {
    const { known } = report;
    const recorded =
      (known && (await this.recordOnKnown(known, report))) ??
      (await this.database.transaction(async (tx) => await this.recordLocked(tx, report)));
    crashPoint(`payment.${report.name}.after-outcome-commit`);
    return recorded;
  }

  /**
   * Decides on the payment as it is known, and writes the next version over that one: in one round trip and the commit,
   * where a lock, the history and the counters would be read first.
   *
   * @returns undefined where nothing was written: somebody was faster, or the decision needs a lock
   */
  private async recordOnKnown(known: Written, report: ReportedOutcome): Promise<Recorded | undefined> {
    // Whether others have sent meanwhile what this request could not is asked under a lock.
    if (report.outcome.kind === 'not_sent') return undefined;
    const { payment: before } = known;
    const decision = recordOutcome(before, await this.commandOf(this.database, before, report));
    // Without events no version is written, so nothing would show that the payment is another by now.
    if (!decision.ok || decision.events.length === 0) return undefined;
    try {
      return await this.database.transaction(
        async (tx) => await this.write(tx, before, decision.events, known.publications, report),
      );
    } catch (error) {
      if (error instanceof Problem && error.code === 'concurrent_update') return undefined;
      throw error;
    }
  }

  private async recordLocked(tx: Tx, report: ReportedOutcome): Promise<Recorded> {
    const { paymentId } = report;
    const [before, held] = await Promise.all([lockKnownPayment(tx, paymentId), this.outbox.hold(tx, [paymentId])]);
    return await this.write(tx, before, await this.eventsOf(tx, before, report), held, report);
  }

  private async write(
    tx: Tx,
    before: Payment,
    events: readonly PaymentEvent[],
    held: HeldPublications,
    { name, cause, conclude }: ReportedOutcome,
  ): Promise<Recorded> {
    const written = await this.commit.write(tx, {
      before,
      events,
      cause,
      held,
      ...(conclude === undefined ? {} : { conclude: async (state) => await conclude(tx, state) }),
    });
    crashPoint(`payment.${name}.before-outcome-commit`);
    return { ...written, isNews: events.length > 0 };
  }

  private async eventsOf(tx: Tx, before: Payment, report: ReportedOutcome): Promise<readonly PaymentEvent[]> {
    const command = await this.commandOf(tx, before, report);
    const decision = recordOutcome(before, {
      ...command,
      perhapsSentBefore: command.perhapsSentBefore || (await this.perhapsSentByOthers(tx, report)),
    });
    if (decision.ok) return decision.events;
    // Safe to go on: what is recorded stands, and people must look at the acquirer's books.
    this.logger.error({ refusal: decision.refusal, outcome: report.outcome }, 'the acquirer contradicts the record');
    if (decision.refusal.code === 'outcome_contradicts_record')
      await raiseException(tx, newId('pex'), before, contradictionOf(before, decision.refusal, report));
    return [];
  }

  private async commandOf(
    sql: Sql,
    payment: Payment,
    { operationId, outcome, perhapsSentBefore }: ReportedOutcome,
  ): Promise<RecordOutcome> {
    // No other outcome has a fee.
    const captures = operationOf(payment, operationId)?.kind === 'capture';
    // Neither waits for the other: one round trip. Mostly none, because the clock is read now and then only.
    const [feeTerms, expiresAt] = await Promise.all([
      captures ? this.fees.termsOf(sql, payment.merchantId, payment.currency) : this.fees.otherwise,
      this.lifetime.endOfOneApprovedNow(sql),
    ]);
    return {
      at: new Date(),
      operationId,
      outcome,
      perhapsSentBefore,
      feeTerms,
      expiresAt,
      nextAttemptId: newId('att'),
      reversalId: newId('vod'),
    };
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
