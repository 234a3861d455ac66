import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  type Claim,
  crashPoint,
  currentContext,
  Idempotency,
  InjectConfig,
  Problem,
  type RequestIdentity,
  runInContext,
  type StoredAnswer,
  storedAnswer,
} from '@payflow/service';

import { Acquirers } from '../clients/acquirers.js';
import type { AcquirerOutcome } from '../domain/commands.js';
import type { PaymentEvent } from '../domain/events.js';
import type { Operation, Payment } from '../domain/payment.js';
import { nextStep } from '../domain/saga.js';
import { claimLeaseMs, type PaymentConfig } from '../payment.config.js';
import type { Cause } from '../store/payment-events.js';
import { Commit, type Written } from './commit.js';
import { lockKnownPayment } from './load-payment.js';
import { OutcomeRecorder } from './outcome-recorder.js';

/** What a command decides before any acquirer hears of it. */
export interface Intent {
  readonly before: Payment;
  readonly events: readonly PaymentEvent[];
  /** The operation that the events order; there may be none to send. */
  readonly firstOperationId: string;
  /** What else is written with the events, behind them. */
  readonly besides?: (tx: Tx) => Promise<void>;
}

/** A request that lets an acquirer do something. */
export interface AcquirerRequest {
  /** For crash points: authorize, capture, cancel, refund. */
  readonly name: string;
  readonly identity: RequestIdentity;
  readonly cause: Cause;
  /** The id chosen for what the request makes; a successor after a crash gets the one chosen first. */
  readonly resourceId: string;
  /**
   * Decides in the first transaction, and writes nothing.
   *
   * @throws Problem of status 404, 409 or 422: the answer, stored with the key. Any other error gives the key back
   */
  readonly decide: (tx: Tx) => Promise<Intent>;
  /** For a successor: the payment and the first operation that the resource id stands for. */
  readonly locate: (tx: Tx, resourceId: string) => Promise<Pick<Intent, 'before' | 'firstOperationId'>>;
  /** What the caller is told when nothing is left to send; a Problem is an answer too. */
  readonly answer: (payment: Payment, firstOperationId: string) => Answer | Problem;
}

/** What the first transaction left behind. */
type Opening =
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | {
      readonly kind: 'begun';
      readonly claim: Claim;
      readonly payment: Payment;
      readonly firstOperationId: string;
      /** What this request wrote. Undefined for a successor: the one who died may have sent the order. */
      readonly written: Written | undefined;
    };

/** More than the longest route: an attempt at each acquirer, the capture of a sale, a reversal. */
const STEPS_MAX = 12;

const isRefusal = (error: unknown): error is Problem =>
  error instanceof Problem && [404, 409, 422].includes(error.status) && error.code !== 'concurrent_update';

const intentOrRefusal = async (tx: Tx, request: AcquirerRequest): Promise<Intent | Problem> => {
  try {
    return await request.decide(tx);
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
};

/**
 * The road of every command that an acquirer has a part in (design §5): commit the intent with the claimed key; send;
 * commit the outcome with the answer. Between the transactions nothing is held, and whoever takes over after a crash
 * reads from the first one what to send again, under the same id.
 */
@Injectable()
export class AcquirerCommand {
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly commit: Commit,
    private readonly recorder: OutcomeRecorder,
    private readonly acquirers: Acquirers,
    @InjectConfig() config: PaymentConfig,
  ) {
    this.leaseMs = claimLeaseMs(config);
  }

  async run(request: AcquirerRequest): Promise<StoredAnswer> {
    const opening = await this.open(request);
    crashPoint(`payment.${request.name}.after-intent-commit`);
    const answer = opening.kind === 'answered' ? opening.answer : await this.proceedInContext(request, opening);
    crashPoint(`payment.${request.name}.before-answer`);
    return answer;
  }

  private async open(request: AcquirerRequest): Promise<Opening> {
    const { identity, resourceId } = request;
    const options = { resourceId, leaseMs: this.leaseMs, moneyMoving: true };
    return await this.database.transaction(async (tx): Promise<Opening> => {
      const outcome = await this.idempotency.claim(tx, identity, options);
      if (outcome.kind === 'replay') return { kind: 'answered', answer: outcome.answer };
      const { claim } = outcome;
      if (outcome.kind === 'claimed') return await this.begin(tx, request, claim);
      const { before: payment, firstOperationId } = await request.locate(tx, outcome.resourceId);
      return { kind: 'begun', claim, payment, firstOperationId, written: undefined };
    });
  }

  private async begin(tx: Tx, request: AcquirerRequest, claim: Claim): Promise<Opening> {
    const intent = await intentOrRefusal(tx, request);
    if (intent instanceof Problem) {
      const answer = this.idempotency.storedProblem(intent);
      await this.idempotency.complete(tx, claim, answer);
      return { kind: 'answered', answer };
    }
    const { before, events, firstOperationId, besides } = intent;
    let answer: StoredAnswer | undefined;
    const written = await this.commit.write(tx, {
      before,
      events,
      cause: request.cause,
      conclude: async (after) => {
        await besides?.(tx);
        if (!nextStep(after, firstOperationId))
          answer = await this.conclude(tx, request, claim, after, firstOperationId);
      },
    });
    return answer
      ? { kind: 'answered', answer }
      : { kind: 'begun', claim, payment: written.payment, firstOperationId, written };
  }

  private async proceedInContext(
    request: AcquirerRequest,
    opening: Extract<Opening, { kind: 'begun' }>,
  ): Promise<StoredAnswer> {
    const context = { ...currentContext(), paymentId: opening.payment.paymentId };
    return await runInContext(context, async () => await this.proceed(request, opening));
  }

  private async proceed(request: AcquirerRequest, opening: Extract<Opening, { kind: 'begun' }>): Promise<StoredAnswer> {
    const { claim, firstOperationId } = opening;
    const perhapsSent = opening.written === undefined;
    let { payment, written: known } = opening;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const operation = nextStep(payment, firstOperationId);
      if (!operation) break;
      const outcome = await this.send(request, payment, operation);
      let answer: StoredAnswer | undefined;
      const recorded = await this.recorder.record({
        name: request.name,
        paymentId: payment.paymentId,
        operationId: operation.id,
        outcome,
        perhapsSentBefore: perhapsSent && step === 0,
        cause: request.cause,
        known,
        conclude: async (tx, after) => {
          answer = await this.concludeOrGoOn(tx, request, claim, after, firstOperationId);
        },
      });
      if (answer) return answer;
      ({ payment } = recorded);
      known = recorded;
    }
    return await this.concludeFound(request, claim, payment.paymentId, firstOperationId);
  }

  private async send(request: AcquirerRequest, payment: Payment, operation: Operation): Promise<AcquirerOutcome> {
    crashPoint(`payment.${request.name}.before-psp`);
    const outcome = await this.acquirers.send(payment, operation);
    crashPoint(`payment.${request.name}.after-psp`);
    return outcome;
  }

  private async concludeOrGoOn(
    tx: Tx,
    request: AcquirerRequest,
    claim: Claim,
    after: Payment,
    firstOperationId: string,
  ): Promise<StoredAnswer | undefined> {
    if (!nextStep(after, firstOperationId)) return await this.conclude(tx, request, claim, after, firstOperationId);
    // The fence decides, not the lease: a successor who has taken over will refuse our completion.
    await this.idempotency.renew(tx, claim, this.leaseMs);
    return undefined;
  }

  private async conclude(
    tx: Tx,
    request: AcquirerRequest,
    claim: Claim,
    after: Payment,
    firstOperationId: string,
  ): Promise<StoredAnswer> {
    const told = request.answer(after, firstOperationId);
    const answer = told instanceof Problem ? this.idempotency.storedProblem(told) : storedAnswer(told);
    await this.idempotency.complete(tx, claim, answer);
    return answer;
  }

  /** A successor may find that everything was done and only the answer is missing. */
  private async concludeFound(
    request: AcquirerRequest,
    claim: Claim,
    paymentId: string,
    firstOperationId: string,
  ): Promise<StoredAnswer> {
    return await this.database.transaction(
      async (tx) => await this.conclude(tx, request, claim, await lockKnownPayment(tx, paymentId), firstOperationId),
    );
  }
}
