import { isOpen, type Operation, operationOf, type Payment } from '../../../apps/payment/src/domain/payment.js';
import type { InquiryAnswer, InquiryStep } from '../../../apps/payment/src/domain/saga.js';
import { takenLeaseMs } from '../../../apps/payment/src/payment.config.js';
import type { Flow } from '../flow.ts';
import { SETTINGS } from '../payment-settings.ts';
import type { AttemptRow, WebhookRow } from '../payment-tables.ts';
import type { Process } from '../process.ts';
import type { World } from '../world.ts';
import type { PaymentService } from './payment.ts';

/** An open order in the hands of whoever took it up (payment-attempts.ts). */
interface TakenOrder {
  readonly row: AttemptRow;
  readonly fence: number;
  readonly inquiries: number;
  readonly takenAtMs: number;
  /** When the schedule would have had it next; null for an order that was due. */
  readonly plannedAtMs: number | null;
}

type Decided = ReturnType<World['seams']['expire']>;

const RESEND_WITHIN_MS = 15 * 60_000;
const ORDERS_MAX = 32;
/** More than the longest route: an attempt at each acquirer, the capture of a sale, a reversal. */
const STEPS_MAX = 12;
const WEBHOOK_TRIES_MAX = 10;
const LEASE_MS = takenLeaseMs(SETTINGS);
const WORDS: readonly string[] = ['approved', 'partially_approved', 'declined', 'action_required'];

/**
 * What nobody waits for any more (recover-orders.ts, resolve-orders.ts, saga-steps.ts, order-timers.ts): orders without an
 * answer are asked about, sent again, given up or shown to people; webhooks are looked into; holds end.
 */
export class Recovery {
  private readonly world: World;
  private readonly service: PaymentService;
  private readonly process: Process;

  constructor(world: World, service: PaymentService, process: Process) {
    this.world = world;
    this.service = service;
    this.process = process;
  }

  /** One statement: orders whose time has come are this process' own until the lease is over. */
  takeUpDue(): void {
    const { tables, database } = this.service;
    if (!this.world.seams.rules.recoveryTakesOrdersUp) return;
    const now = database.nowMs();
    const due = [...tables.openAttempts].filter(
      ({ nextRecoveryAtMs }) => nextRecoveryAtMs !== null && nextRecoveryAtMs <= now,
    );
    for (const row of due.slice(0, ORDERS_MAX)) {
      if (database.isLocked(`attempt ${row.operationId}`)) continue;
      this.world.observeRecovery(row);
      row.inquiries += 1;
      this.process.run('recovery', this.resolve(row.paymentId, row.operationId, this.taken(row, null)));
    }
  }

  /** Before its time; undefined for an order that is closed, or that a request is just sending. */
  private takeUp(operationId: string, isOwn: boolean): TakenOrder | undefined {
    const { tables, database } = this.service;
    const row = tables.attempts.get(operationId);
    if (row === undefined || row.nextRecoveryAtMs === null) return undefined;
    const operation = operationOf(this.service.stateOf(row.paymentId), operationId);
    const isFree = isOwn || row.nextRecoveryAtMs <= database.nowMs() || operation?.state !== 'requested';
    return isFree ? this.taken(row, row.nextRecoveryAtMs) : undefined;
  }

  private taken(row: AttemptRow, plannedAtMs: number | null): TakenOrder {
    const takenAtMs = this.service.database.nowMs();
    row.recoveries += 1;
    row.nextRecoveryAtMs = takenAtMs + LEASE_MS;
    this.service.attemptsDue.set(row, row.nextRecoveryAtMs);
    return { row, fence: row.recoveries, inquiries: row.inquiries, takenAtMs, plannedAtMs };
  }

  /** Asks about an order, and does what follows. @returns whether the acquirer said anything */
  *resolve(paymentId: string, operationId: string, order: TakenOrder | undefined): Flow<boolean> {
    const payment = this.service.stateOf(paymentId);
    const operation = operationOf(payment, operationId);
    if (!operation || isReversed(payment, operation)) return true;
    const answer = yield* this.inquire(payment, operation);
    const step = this.stepAfter(operation, order, answer);
    const after = yield* this.act(payment, operation, order, step);
    if (order) yield* this.giveBack(after, order);
    return answer.kind !== 'no_answer';
  }

  private *inquire(payment: Payment, operation: Operation): Flow<InquiryAnswer> {
    const called = yield* this.service.ask(operation.acquirer, { type: 'inquire', reference: operation.id });
    if (called.kind !== 'answer') return { kind: 'no_answer', reason: 'no_answer' };
    const { status, body } = called.answer;
    return status === 404
      ? { kind: 'not_found' }
      : this.world.seams.outcomeOfAnswer(status, body, operation, payment.currency);
  }

  private stepAfter(operation: Operation, order: TakenOrder | undefined, answer: InquiryAnswer): InquiryStep {
    if (order && isOpen(operation))
      return this.world.seams.afterInquiry(operation, answer, this.world.dateOf(order.takenAtMs), {
        resendAuthorizationWithinMs: RESEND_WITHIN_MS,
      });
    return WORDS.includes(answer.kind)
      ? { kind: 'record', outcome: answer as Extract<InquiryStep, { kind: 'record' }>['outcome'] }
      : { kind: 'wait' };
  }

  private *act(
    payment: Payment,
    operation: Operation,
    order: TakenOrder | undefined,
    step: InquiryStep,
  ): Flow<Payment> {
    switch (step.kind) {
      case 'record': {
        const recorded = yield* this.service.record(this.process, {
          paymentId: payment.paymentId,
          operationId: operation.id,
          outcome: step.outcome,
          perhapsSentBefore: true,
          fence: order?.fence ?? 0,
        });
        return recorded.isNews ? yield* this.goOn(recorded.payment, operation.id) : recorded.payment;
      }
      case 'send':
        return order ? yield* this.sendAgain(payment, operation, order) : payment;
      case 'give_up':
        return order ? yield* this.giveUp(payment, order) : payment;
      case 'wait':
        return payment;
    }
  }

  private *sendAgain(payment: Payment, operation: Operation, order: TakenOrder): Flow<Payment> {
    if (!this.isStillTaken(order)) return payment;
    const reference = this.world.seams.rules.resendsUnderSameId ? operation.id : this.world.newId('att');
    const after = yield* this.send(payment, operation, order, true, reference);
    return yield* this.goOn(after, operation.id);
  }

  /** Sends what follows from an operation, and what follows from that. Another may be sending the same. */
  *goOn(payment: Payment, firstOperationId: string): Flow<Payment> {
    let current = payment;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const operation = this.world.seams.nextStep(current, firstOperationId);
      const order = operation && this.takeUp(operation.id, true);
      if (!operation || !order) return current;
      current = yield* this.send(current, operation, order, true, operation.id);
    }
    return current;
  }

  private *send(
    payment: Payment,
    operation: Operation,
    { fence }: TakenOrder,
    perhapsSentBefore: boolean,
    reference: string,
  ): Flow<Payment> {
    yield this.process.stepMs();
    const outcome = yield* this.service.send(this.process, payment, operation, reference);
    const recorded = yield* this.service.record(this.process, {
      paymentId: payment.paymentId,
      operationId: operation.id,
      outcome,
      perhapsSentBefore,
      fence,
    });
    return recorded.payment;
  }

  private *giveUp(payment: Payment, order: TakenOrder): Flow<Payment> {
    const voidId = this.world.newId('vod');
    const { operationId } = order.row;
    const after = yield* this.decide(order.row.paymentId, order, (before) =>
      this.world.seams.giveUp(before, { at: this.world.dateOf(this.process.nowMs()), operationId, voidId }),
    );
    return after ? yield* this.goOn(after, voidId) : payment;
  }

  /** What is still open is due again by its schedule, or as it was before somebody asked in between. */
  private *giveBack(payment: Payment, order: TakenOrder): Flow {
    const { row, inquiries, takenAtMs, plannedAtMs } = order;
    const operation = operationOf(payment, row.operationId);
    if (!operation || !isOpen(operation)) return;
    const isDue = operation.state !== 'action_required' && operation.stuckAt === null;
    if (isDue && inquiries >= SETTINGS.RECOVERY_DELAYS_SECONDS.length)
      yield* this.decide(row.paymentId, order, (before) =>
        this.world.seams.markStuck(before, {
          at: this.world.dateOf(this.process.nowMs()),
          operationId: row.operationId,
          inquiries,
        }),
      );
    const nextMs = this.world.seams.nextLookMs(operation, inquiries, this.world.dateOf(takenAtMs), SETTINGS);
    const afterMs = plannedAtMs === null ? nextMs : Math.max(0, Math.min(plannedAtMs - takenAtMs, nextMs));
    if (!this.isStillTaken(order) || row.nextRecoveryAtMs === null) return;
    row.nextRecoveryAtMs = this.service.database.nowMs() + afterMs;
    this.service.attemptsDue.set(row, row.nextRecoveryAtMs);
  }

  private isStillTaken({ row, fence }: TakenOrder): boolean {
    return row.recoveries === fence;
  }

  /** Decided because time has gone by, and only by whoever still has the order. */
  private *decide(
    paymentId: string,
    order: TakenOrder | undefined,
    decision: (before: Payment) => Decided,
  ): Flow<Payment | undefined> {
    const { service, process } = this;
    const tx = service.database.begin(process);
    yield* service.lockPayment(tx, paymentId);
    const before = service.stateOf(paymentId);
    if (order) yield* tx.lock(`attempt ${order.row.operationId}`);
    const decided = order && !this.isStillTaken(order) ? undefined : decision(before);
    if (!decided?.ok) {
      tx.rollback();
      return undefined;
    }
    const after = service.write(tx, before, decided.events);
    yield process.stepMs();
    tx.commit();
    yield process.stepMs();
    return after;
  }

  /** A webhook says only that there is news: the provider is asked what it is. */
  *lookInto(webhook: WebhookRow): Flow {
    const { paymentId, operationId } = webhook;
    const answered = yield* this.resolve(paymentId, operationId, this.takeUp(operationId, false));
    if (answered || webhook.tries >= WEBHOOK_TRIES_MAX) {
      webhook.isWaiting = false;
      this.service.webhooksDue.clear(webhook);
    }
  }

  /** Voids what is still held when an authorization has run out by the database's clock. */
  *expire(paymentId: string): Flow {
    const voidId = this.world.newId('vod');
    const { database } = this.service;
    const clock = this.world.seams.rules.expiryByDatabaseClock ? database : this.process;
    const after = yield* this.decide(paymentId, undefined, (before) =>
      this.world.seams.expire(before, { at: this.world.dateOf(clock.nowMs()), voidId }),
    );
    if (after) yield* this.goOn(after, voidId);
  }
}

/** An attempt whose reversal the acquirer has confirmed holds nothing, whatever its own line in the book says. */
const isReversed = (payment: Payment, { id }: Operation): boolean =>
  payment.operations.some(
    (operation) => operation.kind === 'void' && operation.reverses === id && operation.state === 'approved',
  );
