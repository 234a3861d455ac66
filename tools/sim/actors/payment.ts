import { minorToJson } from '@payflow/kernel';

import type { AcquirerOutcome } from '../../../apps/payment/src/domain/commands.js';
import type { PaymentEvent } from '../../../apps/payment/src/domain/events.js';
import { violatedInvariants } from '../../../apps/payment/src/domain/invariants.js';
import {
  authorizedMinor,
  capturedMinor,
  initialPayment,
  isOpen,
  type Operation,
  operationOf,
  type Payment,
  type PaymentMethod,
  refundedMinor,
  statusOf,
} from '../../../apps/payment/src/domain/payment.js';
import { NO_PUBLICATIONS } from '../../../libs/messaging/src/outbox/number-events.js';
import type { Called } from '../network.ts';
import { awaiting, type Flow } from '../flow.ts';
import { SETTINGS } from '../payment-settings.ts';
import { Process } from '../process.ts';
import {
  type AttemptRow,
  type KeyRow,
  type OutboxRow,
  PaymentTables,
  type StoredAnswer,
  type StoredPayment,
  type WebhookRow,
} from '../payment-tables.ts';
import { Database, type Transaction } from '../store.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import type { AcquirerAnswer, AcquirerRequest } from './acquirer.ts';
import { DueRows } from '../timers.ts';
import { Recovery } from './recovery.ts';
import { Relay } from './relay.ts';

export interface Command {
  readonly kind: 'authorize' | 'capture' | 'cancel' | 'refund';
  readonly merchantId: string;
  readonly key: string;
  readonly requestHash: string;
  /** Of what it acts on; null for a new one. */
  readonly paymentId: string | null;
  readonly amountMinor: bigint | null;
  readonly currency: string;
  readonly final: boolean;
  readonly sale: boolean;
}

export interface Webhook {
  readonly kind: 'webhook';
  readonly acquirer: string;
  readonly webhookId: string;
  readonly operationId: string;
}

export interface Answer {
  readonly status: number;
  readonly bodyText: string;
}

/** What a 2xx answer says. */
export interface AnswerBody {
  readonly paymentId: string;
  readonly operationId: string;
  readonly operationState: string;
  readonly version: number;
  readonly status: string;
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
}

export interface Claim {
  readonly id: string;
  readonly fence: number;
  readonly resourceId: string;
}

interface Intent {
  readonly before: Payment;
  readonly events: readonly PaymentEvent[];
  readonly firstOperationId: string;
}

interface Refused {
  readonly status: number;
  readonly code: string;
}

export interface Report {
  readonly paymentId: string;
  readonly operationId: string;
  readonly outcome: AcquirerOutcome;
  readonly perhapsSentBefore: boolean;
  /** Of whoever took the order up to send it; 0 is the request that gave it. */
  readonly fence: number;
  readonly conclude?: (tx: Transaction, after: Payment) => Flow;
}

export interface Recorded {
  readonly payment: Payment;
  readonly isNews: boolean;
}

const CARD: PaymentMethod = { type: 'card', token: 'tok_1', brand: 'visa', last4: '4242', fingerprint: 'fp_1' };
const KEY_LIFETIME_MS = 86_400_000;
const AUTHORIZATION_LIFETIME_MS = 7 * 86_400_000;
const CONNECTION_TRIES_MAX = 3;
/** An authorization at each acquirer of the route, a sale's capture, the reversal of what nobody wants. */
const STEPS_MAX = 6;

const POLL_MS = 500;
/** When a hold that is due is looked at again. */
const EXPIRY_LEASE_MS = 3_600_000;

const hasHold = (payment: Payment): boolean => payment.authorization !== null && !payment.closed;

/** A service-side reason to try again later; nothing was decided. */
export class Busy extends Error {
  override readonly name = 'Busy';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The payment service: two processes over one database. */
export class PaymentService {
  readonly database: Database;
  readonly tables = new PaymentTables();
  readonly processes: readonly Process[];
  readonly contradictions: string[] = [];
  /** Open orders by the time of their recovery, and holds by their end. */
  readonly attemptsDue: DueRows<AttemptRow>;
  readonly holdsDue: DueRows<StoredPayment>;
  readonly webhooksDue: DueRows<WebhookRow>;
  private readonly world: World;

  constructor(world: World, instances: number) {
    this.world = world;
    this.database = new Database('payment database', world.scheduler);
    this.processes = Array.from(
      { length: instances },
      (_, index) =>
        new Process(`payment-${index + 1}`, world, (process) => {
          process.run('relay', new Relay(world, this, process).loop());
          new Recovery(world, this, process).takeUpDue();
        }),
    );
    this.attemptsDue = new DueRows('recovery due', this.database, world.scheduler, (row) => {
      const process = world.anyUp(this.processes);
      if (!world.seams.rules.recoveryTakesOrdersUp) return;
      // It is looked at again, whatever keeps it from being taken up now.
      this.attemptsDue.set(row, Math.max(this.database.nowMs() + POLL_MS, row.nextRecoveryAtMs ?? 0));
      if (process) new Recovery(world, this, process).takeUpDue();
    });
    this.holdsDue = new DueRows('expiry due', this.database, world.scheduler, (stored) => {
      const process = world.anyUp(this.processes);
      if (process) this.expire(process, stored);
      else this.holdsDue.set(stored, this.database.nowMs() + POLL_MS);
    });
    this.webhooksDue = new DueRows('webhook due', this.database, world.scheduler, (row) => {
      const process = world.anyUp(this.processes);
      const leaseMs = Math.min(3_600_000, 15_000 * 2 ** row.tries);
      if (process) row.tries += 1;
      this.webhooksDue.set(row, this.database.nowMs() + (process ? leaseMs : POLL_MS));
      if (process) process.run('webhook', new Recovery(world, this, process).lookInto(row));
    });
  }

  clockJumped(): void {
    this.webhooksDue.clockJumped();
    this.attemptsDue.clockJumped();
    this.holdsDue.clockJumped();
  }

  private expire(process: Process, stored: StoredPayment): void {
    const { state } = stored;
    this.holdsDue.set(stored, this.database.nowMs() + EXPIRY_LEASE_MS);
    process.run('expiry', new Recovery(this.world, this, process).expire(state.paymentId));
  }

  /** What a worker that trusts its own clock takes for due. */
  private expireByOwnClock(process: Process): void {
    const at = this.world.dateOf(process.nowMs());
    for (const stored of this.tables.payments.values()) {
      const { authorization } = stored.state;
      if (authorization && authorization.expiresAt <= at && hasHold(stored.state)) this.expire(process, stored);
    }
  }

  /** POST of a client, a webhook of an acquirer. */
  *serve(process: Process, request: Command | Webhook, reply: (answer: Answer) => void): Flow {
    try {
      reply(yield* request.kind === 'webhook' ? this.webhook(process, request) : this.command(process, request));
    } catch (error) {
      if (error instanceof Busy) reply({ status: 409, bodyText: JSON.stringify({ code: error.code }) });
      else if (error instanceof Error && error.name === 'DatabaseDown') reply({ status: 503, bodyText: '{}' });
      else throw error;
    }
  }

  /** GET /internal/events/{aggregateId}?after= */
  eventsAfter(aggregateId: string, sequence: number): readonly OutboxRow[] {
    return (this.tables.eventsOf.get(aggregateId) ?? [])
      .filter((row) => row.envelope.sequence > sequence)
      .sort((a, b) => a.envelope.sequence - b.envelope.sequence);
  }

  // The road of a command: intent, send, outcome.

  private *command(process: Process, request: Command): Flow<Answer> {
    if (!this.world.seams.rules.expiryByDatabaseClock) this.expireByOwnClock(process);
    const tx = this.database.begin(process);
    const opening = yield* this.open(process, tx, request);
    if (opening.kind === 'answered') return opening.answer;
    const { claim, payment, firstOperationId, perhapsSent } = opening;
    yield process.stepMs();
    return yield* this.proceed(process, claim, payment, firstOperationId, perhapsSent);
  }

  private *open(
    process: Process,
    tx: Transaction,
    request: Command,
  ): Flow<
    | { readonly kind: 'answered'; readonly answer: Answer }
    | {
        readonly kind: 'begun';
        readonly claim: Claim;
        readonly payment: Payment;
        readonly firstOperationId: string;
        readonly perhapsSent: boolean;
      }
  > {
    const { rules, judgeKey } = this.world.seams;
    const id = `${request.merchantId} ${request.kind} ${request.key}`;
    if (!tx.tryLock(`key ${id}`) && rules.keyIsClaimedOnce) {
      tx.rollback();
      throw new Busy('idempotency_key_in_use');
    }
    const resourceId = this.world.newId(RESOURCE_PREFIX[request.kind]);
    const row = this.tables.keys.get(id);
    const now = this.database.nowMs();
    const found =
      row === undefined
        ? 'new'
        : judgeKey({
            expired: row.expiresAtMs <= now,
            keyless: false,
            sameRequest: row.requestHash === request.requestHash,
            state: row.state,
            leaseOver: row.leaseUntilMs <= now,
          });
    switch (found) {
      case 'new':
      case 'restart': {
        const claim = { id, fence: (row?.fence ?? 0) + 1, resourceId };
        return yield* this.begin(process, tx, request, claim);
      }
      case 'reused':
        tx.rollback();
        return { kind: 'answered', answer: { status: 422, bodyText: '{"code":"idempotency_key_reused"}' } };
      case 'duplicate':
      case 'in_use':
        tx.rollback();
        throw new Busy('idempotency_key_in_use');
      case 'replay': {
        tx.rollback();
        const { answer } = row!;
        if (answer === undefined) throw new Violation('assertion', `a completed key without its answer: ${id}`);
        return { kind: 'answered', answer };
      }
      case 'take_over': {
        const claim = { id, fence: row!.fence + 1, resourceId: row!.resourceId };
        if (!rules.resumesFromIntent) return yield* this.begin(process, tx, request, { ...claim, resourceId });
        const leaseUntilMs = now + rules.claimLeaseMs;
        tx.write(() => this.tables.keys.set(id, { ...row!, fence: claim.fence, leaseUntilMs }));
        const located = this.locate(request, claim.resourceId);
        yield process.stepMs();
        tx.commit();
        return { kind: 'begun', claim, ...located, perhapsSent: true };
      }
    }
  }

  private locate(
    request: Command,
    resourceId: string,
  ): { readonly payment: Payment; readonly firstOperationId: string } {
    const paymentId = request.paymentId ?? resourceId;
    const payment = this.tables.payments.get(paymentId)?.state;
    const firstOperationId = request.paymentId === null ? payment?.operations[0]?.id : resourceId;
    if (payment === undefined || firstOperationId === undefined)
      throw new Violation('assertion', `${resourceId} was claimed without an intent`);
    return { payment, firstOperationId };
  }

  private *begin(
    process: Process,
    tx: Transaction,
    request: Command,
    claim: Claim,
  ): Flow<
    | { readonly kind: 'answered'; readonly answer: Answer }
    | {
        readonly kind: 'begun';
        readonly claim: Claim;
        readonly payment: Payment;
        readonly firstOperationId: string;
        readonly perhapsSent: boolean;
      }
  > {
    const { rules, nextStep } = this.world.seams;
    const now = this.database.nowMs();
    const row: KeyRow = {
      requestHash: request.requestHash,
      state: 'running',
      resourceId: claim.resourceId,
      fence: claim.fence,
      leaseUntilMs: now + rules.claimLeaseMs,
      expiresAtMs: now + KEY_LIFETIME_MS,
      answer: undefined,
    };
    if (rules.claimIsWithIntent) tx.write(() => this.tables.keys.set(claim.id, row));
    else {
      this.tables.keys.set(claim.id, row);
      yield process.stepMs();
    }
    if (request.paymentId !== null) yield* this.lockPayment(tx, request.paymentId);
    const intent = this.decide(process, request, claim.resourceId);
    if ('code' in intent) {
      const answer: StoredAnswer = {
        status: intent.status,
        bodyText: JSON.stringify({ code: intent.code }),
        replayed: false,
      };
      tx.write(() => this.tables.keys.set(claim.id, { ...row, state: 'done', answer }));
      yield process.stepMs();
      tx.commit();
      return { kind: 'answered', answer };
    }
    const { before, events, firstOperationId } = intent;
    const after = this.write(tx, before, events);
    let answer: StoredAnswer | undefined;
    if (!nextStep(after, firstOperationId)) {
      answer = this.answerOf(after, firstOperationId);
      tx.write(() => this.tables.keys.set(claim.id, { ...row, state: 'done', answer }));
    }
    yield process.stepMs();
    tx.commit();
    return answer === undefined
      ? { kind: 'begun', claim, payment: after, firstOperationId, perhapsSent: false }
      : { kind: 'answered', answer };
  }

  private decide(process: Process, request: Command, resourceId: string): Intent | Refused {
    const { create, authorize, capture, cancel, refund } = this.world.seams;
    const at = this.world.dateOf(process.nowMs());
    const { amountMinor, paymentId } = request;
    const metadata = { key: request.key };
    if (request.kind === 'authorize') {
      const created = create({
        at,
        paymentId: resourceId as `pay_${string}`,
        merchantId: request.merchantId as `mer_${string}`,
        userId: null,
        amountMinor: amountMinor ?? 0n,
        currency: this.world.currencyOf(request.currency),
        reference: request.key,
        description: null,
        statementDescriptor: null,
        returnUrl: null,
        metadata: {},
        clientSecretHash: null,
        capture: request.sale,
      });
      if (!created.ok) return { status: 422, code: created.refusal.code };
      const payment = created.events.reduce(this.world.seams.evolve, initialPayment);
      const attemptId = this.world.newId('att');
      const decision = authorize(payment, {
        at,
        attemptId,
        route: this.world.routeOf(resourceId),
        paymentMethod: CARD,
        saleCaptureId: request.sale ? this.world.newId('cap') : null,
      });
      if (!decision.ok) return { status: 409, code: decision.refusal.code };
      return { before: initialPayment, events: [...created.events, ...decision.events], firstOperationId: attemptId };
    }
    const before = this.tables.payments.get(paymentId ?? '')?.state;
    if (before === undefined || before.merchantId !== request.merchantId)
      return { status: 404, code: 'payment_not_found' };
    const decision =
      request.kind === 'capture'
        ? capture(before, {
            at,
            captureId: resourceId as `cap_${string}`,
            amountMinor,
            final: request.final,
            metadata,
          })
        : request.kind === 'refund'
          ? refund(before, { at, refundId: resourceId as `ref_${string}`, amountMinor, reason: null, metadata })
          : cancel(before, { at, voidId: resourceId as `vod_${string}`, reason: null, metadata });
    return decision.ok
      ? { before, events: decision.events, firstOperationId: resourceId }
      : { status: 409, code: decision.refusal.code };
  }

  private *proceed(
    process: Process,
    claim: Claim,
    begun: Payment,
    firstOperationId: string,
    perhapsSent: boolean,
  ): Flow<Answer> {
    const { rules, nextStep } = this.world.seams;
    let payment = begun;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const operation = nextStep(payment, firstOperationId);
      if (!operation) break;
      const outcome = yield* this.send(process, payment, operation);
      let answer: StoredAnswer | undefined;
      const conclude = (tx: Transaction, after: Payment): Flow =>
        this.concludeOrGoOn(tx, claim, after, firstOperationId, (given) => {
          answer = given;
        });
      ({ payment } = yield* this.record(process, {
        paymentId: payment.paymentId,
        operationId: operation.id,
        outcome,
        perhapsSentBefore: perhapsSent && step === 0,
        fence: 0,
        conclude,
      }));
      if (!answer) continue;
      if (!rules.answerIsStoredWithOutcome)
        process.run('stores the answer', this.completeLater(process, claim, answer));
      return answer;
    }
    const tx = this.database.begin(process);
    yield* this.lockPayment(tx, payment.paymentId);
    const answer = this.answerOf(this.stateOf(payment.paymentId), firstOperationId);
    yield* this.complete(tx, claim, answer);
    yield process.stepMs();
    tx.commit();
    return answer;
  }

  private *concludeOrGoOn(
    tx: Transaction,
    claim: Claim,
    after: Payment,
    firstOperationId: string,
    give: (answer: StoredAnswer) => void,
  ): Flow {
    const { nextStep, rules } = this.world.seams;
    if (nextStep(after, firstOperationId)) {
      yield* this.renew(tx, claim);
      return;
    }
    const answer = this.answerOf(after, firstOperationId);
    give(answer);
    if (rules.answerIsStoredWithOutcome) yield* this.complete(tx, claim, answer);
  }

  /** What a bug does: the caller has the answer by now. */
  private *completeLater(process: Process, claim: Claim, answer: StoredAnswer): Flow {
    yield 5 * process.stepMs();
    const tx = this.database.begin(process);
    const row = yield* this.ownKey(tx, claim);
    if (row) tx.write(() => this.tables.keys.set(claim.id, { ...row, state: 'done', answer }));
    tx.commit();
  }

  private *complete(tx: Transaction, claim: Claim, answer: StoredAnswer): Flow {
    const row = yield* this.ownKey(tx, claim);
    if (row === undefined) {
      tx.rollback();
      throw new Busy('concurrent_update');
    }
    tx.write(() => this.tables.keys.set(claim.id, { ...row, state: 'done', answer }));
  }

  /** Another may have taken the claim over: then the completion will be refused. */
  private *renew(tx: Transaction, claim: Claim): Flow {
    const row = yield* this.ownKey(tx, claim);
    if (row === undefined) return;
    const leaseUntilMs = this.database.nowMs() + this.world.seams.rules.claimLeaseMs;
    tx.write(() => this.tables.keys.set(claim.id, { ...row, leaseUntilMs }));
  }

  private *ownKey(tx: Transaction, claim: Claim): Flow<KeyRow | undefined> {
    yield* tx.lock(`key ${claim.id}`);
    const row = this.tables.keys.get(claim.id);
    if (row === undefined) return undefined;
    if (!this.world.seams.rules.fenceIsChecked) return row;
    return row.fence === claim.fence && row.state === 'running' ? row : undefined;
  }

  answerOf(payment: Payment, operationId: string): StoredAnswer {
    const status = statusOf(payment);
    const operation = operationOf(payment, operationId);
    const body: AnswerBody = {
      paymentId: payment.paymentId,
      operationId,
      operationState: operation?.state ?? 'none',
      version: payment.version,
      status,
      authorized: minorToJson(authorizedMinor(payment)),
      captured: minorToJson(capturedMinor(payment)),
      refunded: minorToJson(refundedMinor(payment)),
    };
    const isOut = operation !== undefined && isOpen(operation);
    return {
      status: isOut ? 202 : operation?.kind === 'authorize' ? 201 : 200,
      bodyText: JSON.stringify(body),
      replayed: false,
    };
  }

  // The one door for an acquirer's word.

  *record(process: Process, report: Report): Flow<Recorded> {
    const { recordOutcome, rules } = this.world.seams;
    const tx = this.database.begin(process);
    yield* this.lockPayment(tx, report.paymentId);
    const before = this.stateOf(report.paymentId);
    if (report.outcome.kind === 'not_sent') tx.tryLock(`attempt ${report.operationId}`);
    const attempt = this.tables.attempts.get(report.operationId);
    const takenUp = report.outcome.kind === 'not_sent' && attempt !== undefined && attempt.recoveries > report.fence;
    const at = this.world.dateOf(process.nowMs());
    const decision = recordOutcome(before, {
      at,
      operationId: report.operationId,
      outcome: report.outcome,
      perhapsSentBefore: rules.recoveryDoubts && (report.perhapsSentBefore || takenUp),
      feeTerms: this.world.feeTermsOf(before.merchantId),
      expiresAt: this.world.dateOf(this.database.nowMs() + AUTHORIZATION_LIFETIME_MS),
      nextAttemptId: this.world.newId('att'),
      reversalId: this.world.newId('vod'),
    });
    if (!decision.ok)
      this.contradictions.push(
        `${report.paymentId} ${report.operationId} ${decision.refusal.code} ${report.outcome.kind}`,
      );
    const events = decision.ok ? decision.events : [];
    const after = this.write(tx, before, events);
    if (report.conclude) yield* report.conclude(tx, after);
    yield process.stepMs();
    tx.commit();
    yield process.stepMs();
    return { payment: after, isNews: events.length > 0 };
  }

  /** Stored and answered at once; what it is about is asked at the acquirer. A second delivery is no news. */
  private *webhook(process: Process, { acquirer, webhookId, operationId }: Webhook): Flow<Answer> {
    const tx = this.database.begin(process);
    const attempt = this.tables.attempts.get(operationId);
    const operation = attempt && operationOf(this.stateOf(attempt.paymentId), operationId);
    yield* tx.lock(`webhook ${webhookId}`);
    if (attempt && operation?.acquirer === acquirer && !this.tables.webhooks.has(webhookId)) {
      const row = { operationId, paymentId: attempt.paymentId, tries: 0, isWaiting: true };
      tx.write(() => {
        this.tables.webhooks.set(webhookId, row);
        if (this.world.seams.rules.webhooksAreLookedInto) this.webhooksDue.set(row, this.database.nowMs());
      });
    }
    yield process.stepMs();
    tx.commit();
    return { status: 204, bodyText: '' };
  }

  *lockPayment(tx: Transaction, paymentId: string): Flow {
    if (this.world.seams.rules.paymentIsLocked) yield* tx.lock(`payment ${paymentId}`);
  }

  stateOf(paymentId: string): Payment {
    const stored = this.tables.payments.get(paymentId);
    if (stored === undefined) throw new Violation('assertion', `${paymentId} has vanished`);
    return stored.state;
  }

  // What a command leaves behind, in one transaction.

  /** Events, read models, publications: written with the commit. */
  write(tx: Transaction, before: Payment, events: readonly PaymentEvent[]): Payment {
    if (events.length === 0) return before;
    const { evolve, project } = this.world.seams;
    const states: Payment[] = [];
    let after = before;
    let live = this.tables.payments.get(before.paymentId)?.live ?? before;
    for (const event of events) {
      after = evolve(after, event);
      live = project(live, event);
      states.push(after);
    }
    const violated = violatedInvariants(after);
    if (violated.length > 0) throw new Violation('assertion', `${after.paymentId} would break ${violated.join(', ')}`);
    tx.write(() => {
      const stored = this.tables.payments.get(after.paymentId);
      if (stored === undefined) this.tables.payments.set(after.paymentId, { events: [...events], state: after, live });
      else {
        stored.events.push(...events);
        stored.state = after;
        stored.live = live;
      }
      this.watchHold(before, after);
      this.world.observePayment(before, after, events);
    });
    after.operations.forEach((operation, index) => {
      if (operation !== before.operations[index]) this.storeAttempt(tx, after, operation);
    });
    this.publish(tx, events, states);
    return after;
  }

  private watchHold(before: Payment, after: Payment): void {
    const stored = this.tables.payments.get(after.paymentId);
    if (stored === undefined) return;
    if (!hasHold(after)) this.holdsDue.clear(stored);
    else if (after.authorization && !before.authorization)
      this.holdsDue.set(stored, this.world.msOf(after.authorization.expiresAt));
  }

  /** An order that was just given belongs to its request as long as that holds its claim. */
  private storeAttempt(tx: Transaction, payment: Payment, operation: Operation): void {
    const { attempts, openAttempts } = this.tables;
    const afterMs = this.world.seams.nextLookMs(operation, 0, operation.startedAt, SETTINGS);
    const dueMs = isOpen(operation) ? this.database.nowMs() + afterMs : null;
    tx.tryLock(`attempt ${operation.id}`);
    tx.write(() => {
      const row = attempts.get(operation.id) ?? {
        operationId: operation.id,
        paymentId: payment.paymentId,
        recoveries: 0,
        inquiries: 0,
        nextRecoveryAtMs: null,
      };
      row.nextRecoveryAtMs = dueMs;
      attempts.set(operation.id, row);
      if (dueMs === null) {
        openAttempts.delete(row);
        this.attemptsDue.clear(row);
      } else {
        openAttempts.add(row);
        this.attemptsDue.set(row, dueMs);
      }
    });
  }

  private publish(tx: Transaction, events: readonly PaymentEvent[], states: readonly Payment[]): void {
    const { publicationOf, numberEvents, rules } = this.world.seams;
    const outgoing = events.flatMap((event, index) => publicationOf(event, states[index]!) ?? []);
    const [first] = outgoing;
    if (first === undefined) return;
    const { aggregateId } = first;
    const before = this.tables.sequences.get(aggregateId) ?? NO_PUBLICATIONS;
    const { numbered, after } = numberEvents(before, outgoing, ({ definition }) => definition.topic);
    tx.write(() => this.tables.sequences.set(aggregateId, after));
    tx.onCommit(() => {
      this.database.signal('outbox');
    });
    for (const { event, sequence, previousSequence } of numbered) {
      const payload = event.definition.payload.safeParse(event.payload);
      if (!payload.success)
        throw new Violation('assertion', `${event.definition.type} breaks its contract: ${payload.error.message}`);
      this.tables.lastPosition += 1;
      const row: OutboxRow = {
        position: this.tables.lastPosition,
        topic: event.definition.topic,
        key: event.key,
        envelope: {
          eventId: this.world.newId('evt'),
          type: event.definition.type,
          occurredAt: event.occurredAt.toISOString(),
          aggregateId,
          sequence,
          previousSequence,
          merchantId: event.merchantId,
          correlationId: null,
          causationId: null,
          payload: payload.data as Readonly<Record<string, unknown>>,
        },
        isPublished: false,
      };
      if (!rules.eventsArePublishedByOutbox) this.world.broker.append([row]);
      tx.write(() => {
        this.tables.insertOutbox(row);
        if (!rules.eventsArePublishedByOutbox) this.tables.markPublished([row]);
      });
    }
  }

  // The way to an acquirer.

  /** Silence and refusals are outcomes. What certainly was not sent is sent again, briefly. */
  *send(
    process: Process,
    payment: Payment,
    operation: Operation,
    reference: string = operation.id,
  ): Flow<AcquirerOutcome> {
    const request = requestOf(payment, operation, reference);
    for (let attempt = 1; ; attempt += 1) {
      const called: Called<AcquirerAnswer> = yield* this.ask(operation.acquirer, request);
      if (called.kind === 'answer')
        return this.world.seams.outcomeOfAnswer(
          called.answer.status,
          reference === operation.id
            ? called.answer.body
            : { ...(called.answer.body as object), reference: operation.id },
          operation,
          payment.currency,
        );
      if (called.kind === 'silence') {
        if (this.world.seams.rules.silenceIsNotRetried) return { kind: 'unanswered', reason: 'no_answer' };
        return yield* this.send(process, payment, operation, this.world.newId('att'));
      }
      if (attempt === CONNECTION_TRIES_MAX) return { kind: 'not_sent', reason: 'acquirer_unreachable' };
      yield 50 + 200 * attempt;
    }
  }

  *ask(name: string, request: AcquirerRequest): Flow<Called<AcquirerAnswer>> {
    const acquirer = this.world.acquirers.get(name);
    if (acquirer === undefined) throw new Violation('assertion', `there is no acquirer ${name}`);
    return yield* awaiting(
      this.world.network.call<AcquirerRequest, AcquirerAnswer>(
        `${name} ${request.type}`,
        () => acquirer.isReachable(),
        (received, reply) => {
          acquirer.receive(received, reply);
        },
        request,
        SETTINGS.ACQUIRER_TIMEOUT_MS,
      ),
    );
  }
}

const RESOURCE_PREFIX = { authorize: 'pay', capture: 'cap', cancel: 'vod', refund: 'ref' } as const;

const requestOf = (payment: Payment, operation: Operation, reference: string): AcquirerRequest => {
  const { amountMinor } = operation;
  const { currency } = payment;
  if (operation.kind === 'authorize') return { type: 'authorize', reference, amountMinor, currency };
  if (operation.kind === 'void' && operation.reverses !== null)
    return { type: 'reverse', reference, originalReference: operation.reverses, amountMinor, currency };
  const authorizationId = payment.authorization?.acquirerReference;
  if (authorizationId === undefined) throw new Violation('assertion', `${operation.id} follows no authorization`);
  const final = operation.kind === 'capture' && operation.final;
  return { type: operation.kind, reference, authorizationId, amountMinor, final, currency };
};
