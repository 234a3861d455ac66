import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { AcquirerOutcome } from '../domain/commands.js';
import { isOpen, type Operation, operationOf, type Payment } from '../domain/payment.js';
import { afterInquiry, type InquiryAnswer, type InquiryStep } from '../domain/saga.js';
import { type PaymentConfig, takenLeaseMs } from '../payment.config.js';
import { giveOrderBack, isStillTaken, type TakenOrder, takeUpOrder } from '../store/payment-attempts.js';
import type { Cause } from '../store/payment-events.js';
import { loadPayment } from './load-payment.js';
import { OrderTimers } from './order-timers.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { nextLookMs } from './recovery-schedule.js';
import { SagaSteps } from './saga-steps.js';

export interface Resolution {
  /** As it is now; undefined when there is no such payment. */
  readonly payment: Payment | undefined;
  /** Whether the acquirer said anything; silence means asking again later. */
  readonly answered: boolean;
}

/** What is to be resolved, and by whom. */
interface Task {
  readonly payment: Payment;
  readonly operation: Operation;
  /** Undefined for an order that has ended, or that its own request is just sending: then only the acquirer's word counts. */
  readonly order: TakenOrder | undefined;
  readonly cause: Cause;
}

const MS_PER_SECOND = 1_000;
const NOTHING: InquiryStep = { kind: 'wait' };

type Word = Exclude<AcquirerOutcome, { kind: 'unanswered' | 'not_sent' }>;

const isWord = (answer: InquiryAnswer): answer is Word =>
  ['approved', 'partially_approved', 'declined', 'action_required'].includes(answer.kind);

const reversalsOf = (payment: Payment, { id }: Operation): readonly Operation[] =>
  payment.operations.filter((operation) => operation.kind === 'void' && operation.reverses === id);

/** An attempt whose reversal the acquirer has confirmed holds nothing, whatever its own line in the book says. */
const isReversed = (payment: Payment, operation: Operation): boolean =>
  reversalsOf(payment, operation).some(({ state }) => state === 'approved');

/** What is being given back is not sent after all: it is enough to hear how it stands. */
const isGivenBack = (payment: Payment, operation: Operation): boolean => reversalsOf(payment, operation).some(isOpen);

/**
 * Finds out what became of an order by asking the acquirer for our reference, and does what follows: records, sends it
 * under its own id, gives it up, or waits. Nobody guesses, and nothing rests on who asks: the schedule, a webhook, or a
 * caller of /sync.
 */
@Injectable()
export class ResolveOrders {
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly recorder: OutcomeRecorder,
    private readonly steps: SagaSteps,
    private readonly timers: OrderTimers,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {
    this.leaseMs = takenLeaseMs(config);
  }

  /** Asks about an operation now, open or not. */
  async resolve(paymentId: string, operationId: string, cause: Cause): Promise<Resolution> {
    return await this.find(paymentId, operationId, await takeUpOrder(this.database, operationId, this.leaseMs), cause);
  }

  /** Asks about an order that its time has come for. */
  async resolveDue(order: TakenOrder, cause: Cause): Promise<void> {
    await this.find(order.payment_id, order.attempt_id, order, cause);
  }

  private async find(
    paymentId: string,
    operationId: string,
    order: TakenOrder | undefined,
    cause: Cause,
  ): Promise<Resolution> {
    const payment = await loadPayment(this.database, paymentId);
    const operation = payment && operationOf(payment, operationId);
    if (!payment || !operation || isReversed(payment, operation)) return { payment, answered: true };
    try {
      const answer = await this.steps.inquire(payment, operation);
      const task: Task = { payment, operation, order, cause };
      const after = await this.act(task, this.stepAfter(task, answer));
      return {
        payment: order ? await this.giveBack(after, order, cause) : after,
        answered: answer.kind !== 'no_answer',
      };
    } catch (error) {
      // What fails each time must come to people in the end, like what nobody answers.
      if (order) await this.giveBack(payment, order, cause);
      throw error;
    }
  }

  private stepAfter({ payment, operation, order }: Task, answer: InquiryAnswer): InquiryStep {
    if (answer.kind === 'not_found' && isGivenBack(payment, operation)) return NOTHING;
    if (order && isOpen(operation))
      return afterInquiry(operation, answer, order.taken_at, {
        resendAuthorizationWithinMs: this.config.AUTHORIZATION_RESEND_SECONDS * MS_PER_SECOND,
      });
    return isWord(answer) ? { kind: 'record', outcome: answer } : NOTHING;
  }

  private async act(task: Task, step: InquiryStep): Promise<Payment> {
    const { payment, operation, order, cause } = task;
    switch (step.kind) {
      case 'record':
        return await this.record(task, step.outcome);
      case 'send':
        return order ? await this.sendAgain(payment, operation, order, cause) : payment;
      case 'give_up':
        return order ? await this.giveUp(payment, order, cause) : payment;
      case 'wait':
        return payment;
    }
  }

  private async record({ payment, operation, order, cause }: Task, outcome: AcquirerOutcome): Promise<Payment> {
    const recorded = await this.recorder.record({
      name: 'recover',
      paymentId: payment.paymentId,
      operationId: operation.id,
      outcome,
      perhapsSentBefore: true,
      fence: order?.fence ?? 0,
      cause,
    });
    return recorded.isNews ? await this.steps.goOn(recorded.payment, operation.id, cause) : recorded.payment;
  }

  private async sendAgain(payment: Payment, operation: Operation, order: TakenOrder, cause: Cause): Promise<Payment> {
    if (!(await isStillTaken(this.database, order))) return payment;
    const after = await this.steps.send(payment, operation, order, { perhapsSentBefore: true, cause });
    return await this.steps.goOn(after, operation.id, cause);
  }

  private async giveUp(payment: Payment, order: TakenOrder, cause: Cause): Promise<Payment> {
    const given = await this.timers.giveUp(order, cause);
    return given ? await this.steps.goOn(given.payment, given.voidId, cause) : payment;
  }

  /** What is still open is due again by its schedule, or as it was before somebody asked in between. */
  private async giveBack(payment: Payment, order: TakenOrder, cause: Cause): Promise<Payment> {
    const operation = operationOf(payment, order.attempt_id);
    if (!operation || !isOpen(operation)) return payment;
    const after = this.isStuck(operation, order) ? await this.timers.markStuck(order, cause) : undefined;
    const nextMs = order.taken_at.getTime() + nextLookMs(operation, order.inquiries, order.taken_at, this.config);
    await giveOrderBack(this.database, order, new Date(Math.min(order.planned_at?.getTime() ?? Infinity, nextMs)));
    return after ?? payment;
  }

  /** A payer who takes his time is nobody's case. */
  private isStuck({ state, stuckAt }: Operation, { inquiries }: TakenOrder): boolean {
    return state !== 'action_required' && stuckAt === null && inquiries >= this.config.RECOVERY_DELAYS_SECONDS.length;
  }
}
