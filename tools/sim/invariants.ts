import type { Envelope } from '@payflow/contracts';

import { contentText } from '../../apps/ledger/src/domain/content.js';
import {
  brokenBalanceChain,
  currenciesOutOfBalance,
  type Leg,
  legsBelowFloor,
} from '../../apps/ledger/src/domain/invariants.js';
import { draftOf } from '../../apps/ledger/src/domain/payment-draft.js';
import type { PaymentFact } from '../../apps/ledger/src/domain/payment-postings.js';
import { publicationOf } from '../../apps/payment/src/application/publications.js';
import type { PaymentEvent } from '../../apps/payment/src/domain/events.js';
import { evolve, fold } from '../../apps/payment/src/domain/evolve.js';
import { initialPayment, isOpen, operationOf, type Payment, statusOf } from '../../apps/payment/src/domain/payment.js';
import { PAYMENT_EVENTS, type PaymentEventName } from '@payflow/contracts';
import { feeOnTotal, minorToJson } from '@payflow/kernel';

import type { Held } from './actors/acquirer.ts';
import type { JournalTransaction } from './actors/ledger.ts';
import type { Answer, AnswerBody, Command } from './actors/payment.ts';
import type { AttemptRow, StoredPayment } from './payment-tables.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/**
 * What must always hold (spec §5), by the product's own functions as they are imported here, never by those of the
 * simulated system: a planted bug does not change its judge.
 */
export const INVARIANT_NAMES = {
  assertion: 'no assertion of the product fails, and nothing that it takes for impossible happens',
  balanced: '1: debits equal credits in each transaction and in total; balances are the sums of their entries',
  ledger_equals_history: '2: the ledger has what the payment’s history implies, once each, and nothing else',
  within_limits: '3: captured ≤ authorized, refunded ≤ captured, fees as agreed, wallets never below zero',
  one_effect_per_key: '4: one request with one key has at most one effect, here and at the acquirer',
  answered_survives: '5: what was answered 2xx is in the history, as it was answered',
  reaches_consumers_once: '6: each event takes effect once at each consumer, in order where order is kept',
  read_model_equals_rebuild: '7: the read model is what the events say',
  books_agree: '10: the acquirer’s book, the payment and the ledger say the same',
  nothing_is_forgotten: '11: no order stays open without an inquiry to come, or past the last one without being shown',
  never_guesses: 'a payment fails by the acquirer’s word only',
  not_before_its_time: 'an authorization ends with its time, not before',
  comes_to_an_end: 'when the faults end, everything settles',
} as const;
export type InvariantName = keyof typeof INVARIANT_NAMES;

const fail = (invariant: InvariantName, detail: string): never => {
  throw new Violation(invariant, detail);
};
const requireThat = (holds: boolean, invariant: InvariantName, detail: () => string): void => {
  if (!holds) fail(invariant, detail());
};

const HOUR = 3_600_000;
const LIFETIME_MS = 7 * 24 * HOUR;
/** Clocks are off by up to two hours: the one that set the end, and the one that finds it reached. */
const CLOCK_TOLERANCE_MS = 4.5 * HOUR;

// At every commit.

/** Sums over the history, without the product's own reading of it. */
const amountsOf = (events: readonly PaymentEvent[]) => {
  const amounts = { authorized: 0n, captured: 0n, refunded: 0n, fee: 0n, canceled: 0 };
  for (const event of events) {
    if (event.type === 'PaymentAuthorized') amounts.authorized += event.amountMinor;
    if (event.type === 'PaymentCaptured') {
      amounts.captured += event.amountMinor;
      amounts.fee += event.feeMinor;
    }
    if (event.type === 'RefundSucceeded') amounts.refunded += event.amountMinor;
    if (event.type === 'RefundFailed' && event.hadSucceeded) amounts.refunded -= event.amountMinor;
  }
  return amounts;
};

export const requireSoundPayment = (
  world: World,
  before: Payment,
  after: Payment,
  events: readonly PaymentEvent[],
): void => {
  const stored = world.payment.tables.payments.get(after.paymentId);
  requireThat(
    stored !== undefined && stored.events.length === after.version,
    'assertion',
    () => `${after.paymentId}: two writers wrote version ${before.version + 1}`,
  );
  const { authorized, captured, refunded } = amountsOf(stored!.events);
  requireThat(
    captured <= authorized && refunded <= captured && refunded >= 0n && captured >= 0n,
    'within_limits',
    () => `${after.paymentId}: authorized ${authorized}, captured ${captured}, refunded ${refunded}`,
  );
  for (const event of events) {
    if (event.type === 'PaymentAuthorized') world.authorizedAtMs.set(after.paymentId, world.scheduler.nowMs);
    if (event.type === 'PaymentFailed') requireNotGuessed(world, after, event);
    if (event.type === 'VoidRequested' && event.cause === 'expiry') requireOldEnough(world, after.paymentId);
  }
};

/** Never FAILED without the acquirer’s no, or its word that it holds nothing and will not. */
const requireNotGuessed = (
  world: World,
  payment: Payment,
  event: Extract<PaymentEvent, { type: 'PaymentFailed' }>,
): void => {
  if (event.failure.code === 'partial_approval') return;
  const acquirer = operationOf(payment, event.attemptId)?.acquirer ?? '';
  const line = world.acquirers.get(acquirer)?.book.get(event.attemptId);
  requireThat(
    line === undefined ||
      line.wasDeclined ||
      (line.authorizationId !== null && isGivenBack(world, acquirer, line.authorizationId)),
    'never_guesses',
    () =>
      `${payment.paymentId} failed (${event.failure.code}); ${acquirer} says ${line?.outcome ?? 'nothing'} of ${event.attemptId}`,
  );
};

const isGivenBack = (world: World, acquirer: string, authorizationId: string): boolean =>
  world.acquirers.get(acquirer)?.held.get(authorizationId)?.closed === true;

/**
 * More inquiries than the schedule has: by then it is shown to people, even if a process died over it twice, and another one
 * paused with the payment's lock, over which those who take the order up lose a lease each.
 */
const INQUIRIES_UNSHOWN_MAX = 11;

export const requireShown = (world: World, { operationId, paymentId, inquiries }: AttemptRow): void => {
  const operation = operationOf(world.payment.stateOf(paymentId), operationId);
  requireThat(
    inquiries < INQUIRIES_UNSHOWN_MAX || operation?.state === 'action_required' || operation?.stuckAt !== null,
    'nothing_is_forgotten',
    () => `${operationId} was asked about ${inquiries} times and is not shown as stuck`,
  );
};

const requireOldEnough = (world: World, paymentId: string): void => {
  const ageMs = world.scheduler.nowMs - (world.authorizedAtMs.get(paymentId) ?? 0);
  requireThat(
    ageMs >= LIFETIME_MS - CLOCK_TOLERANCE_MS,
    'not_before_its_time',
    () => `${paymentId} was expired after ${(ageMs / HOUR).toFixed(1)} h`,
  );
};

const legsOf = ({ entries }: JournalTransaction): readonly Leg[] =>
  entries.map(({ account, direction, amountMinor, balanceAfterMinor }) => ({
    account: account.code,
    currency: account.currency,
    direction,
    amountMinor,
    balanceAfterMinor,
  }));

const FLOORED = /^wallet:/;

export const requireSoundTransaction = (transaction: JournalTransaction): void => {
  const legs = legsOf(transaction);
  const currencies = currenciesOutOfBalance(legs);
  requireThat(currencies.length === 0, 'balanced', () => `${transaction.draft.reference} in ${currencies.join(', ')}`);
  const below = legsBelowFloor(legs, (account) => (FLOORED.test(account) ? 0n : null));
  requireThat(below.length === 0, 'within_limits', () => `${transaction.draft.reference} overdraws a wallet`);
};

/** The database's clock may have been set back by two hours, and what is old enough goes by it. */
const GAP_CLOSED_MS = 2.5 * HOUR;

export const requireNotWaitedFor = (world: World, { aggregateId, sequence }: Envelope): void => {
  const { tables } = world.ledger.consumer;
  if ((tables.gates.get(aggregateId) ?? 1) !== sequence) return;
  const waiting = [...(tables.parkedOf.get(aggregateId) ?? [])];
  if (waiting.length === 0 || waiting.some((row) => row.sequence <= sequence)) return;
  const sinceMs = Math.min(...waiting.map(({ parkedAtMs }) => parkedAtMs));
  requireThat(
    world.scheduler.nowMs - sinceMs < GAP_CLOSED_MS,
    'reaches_consumers_once',
    () =>
      `${aggregateId}: event ${sequence} was missing for ${((world.scheduler.nowMs - sinceMs) / HOUR).toFixed(1)} h`,
  );
};

// When everything has come to rest.

export const requireAll = (world: World): void => {
  requireBalanced(world);
  requirePublished(world);
  requireLedgerEqualsHistory(world);
  requireOneEffectPerKey(world);
  requireAnswersSurvived(world);
  requireRebuilt(world);
  requireBooksAgree(world);
  requireNothingOpen(world);
};

const requireBalanced = (world: World): void => {
  const { journal, accounts } = world.ledger;
  const legs = journal.flatMap(legsOf);
  requireThat(currenciesOutOfBalance(legs).length === 0, 'balanced', () => 'the journal as a whole');
  const [broken] = brokenBalanceChain(legs);
  requireThat(
    broken === undefined,
    'balanced',
    () => `the balance after leg ${String(broken)} is not the one before it and the leg`,
  );
  const sums = new Map<string, bigint>();
  for (const { account, currency, direction, amountMinor } of legs) {
    const name = `${account} ${currency}`;
    sums.set(name, (sums.get(name) ?? 0n) + (direction === 'credit' ? amountMinor : -amountMinor));
  }
  for (const [name, { balanceMinor }] of accounts)
    requireThat(
      (sums.get(name) ?? 0n) === balanceMinor,
      'balanced',
      () => `${name} has ${balanceMinor}, its entries say otherwise`,
    );
};

/** What a history publishes, by the product's own functions. */
const publicationsOf = ({ events }: StoredPayment) => {
  let payment = initialPayment;
  return events.flatMap((event) => {
    payment = evolve(payment, event);
    return publicationOf(event, payment) ?? [];
  });
};

const requirePublished = (world: World): void => {
  const { tables } = world.payment;
  const { applied, consumer } = world.ledger;
  for (const [paymentId, stored] of tables.payments) {
    const expected = publicationsOf(stored);
    const rows = world.payment.eventsAfter(paymentId, 0);
    const detail = (what: string) => () => `${paymentId}: ${what}`;
    requireThat(
      rows.length === expected.length,
      'reaches_consumers_once',
      detail(`${expected.length} events, ${rows.length} in the outbox`),
    );
    for (const [index, { envelope, isPublished }] of rows.entries()) {
      requireThat(
        envelope.sequence === index + 1,
        'reaches_consumers_once',
        detail(`sequence ${envelope.sequence} is number ${index + 1}`),
      );
      requireThat(
        envelope.type === expected[index]!.definition.type,
        'reaches_consumers_once',
        detail(`${envelope.type} is not what happened`),
      );
      requireThat(isPublished, 'reaches_consumers_once', detail(`event ${envelope.sequence} was never published`));
      const effects = world.fed.get(envelope.eventId) ?? 0;
      requireThat(
        effects === 1,
        'reaches_consumers_once',
        detail(`event ${envelope.sequence} took effect ${effects} times at the subscriber`),
      );
    }
    const order = (applied.get(paymentId) ?? []).join(' ');
    const inOrder = rows.map((_, index) => index + 1).join(' ');
    requireThat(order === inOrder, 'reaches_consumers_once', detail(`the ledger applied [${order}] of [${inOrder}]`));
  }
  const known = world.knownEventIds();
  for (const eventId of world.fed.keys())
    requireThat(known.has(eventId), 'reaches_consumers_once', () => `${eventId} was never committed and took effect`);
  for (const group of [consumer, world.feed])
    for (const { parked, deadLetters } of [group.tables]) {
      requireThat(
        parked.size === 0,
        'reaches_consumers_once',
        () => `${parked.size} messages are still parked at ${group.name}`,
      );
      const open = [...deadLetters.values()].filter(({ status }) => status === 'open' || status === 'replaying');
      requireThat(
        open.length === 0,
        'reaches_consumers_once',
        () => `${open.length} dead letters are still open at ${group.name}`,
      );
    }
};

const NAME_OF = new Map(
  (Object.keys(PAYMENT_EVENTS) as PaymentEventName[]).map((name) => [PAYMENT_EVENTS[name].type as string, name]),
);

const factOf = (envelope: Envelope): PaymentFact =>
  ({ event: NAME_OF.get(envelope.type), payload: envelope.payload }) as unknown as PaymentFact;

const requireLedgerEqualsHistory = (world: World): void => {
  const expected = new Map<string, string>();
  for (const [paymentId, stored] of world.payment.tables.payments)
    for (const [index, { definition, payload, occurredAt, merchantId }] of publicationsOf(stored).entries()) {
      const envelope: Envelope = {
        eventId: '',
        type: definition.type,
        occurredAt: occurredAt.toISOString(),
        aggregateId: paymentId,
        sequence: index + 1,
        previousSequence: null,
        merchantId,
        correlationId: null,
        causationId: null,
        payload: payload as Envelope['payload'],
      };
      const draft = draftOf(envelope, factOf(envelope), '');
      if (draft)
        expected.set(
          draft.reference,
          contentText(draft, (name) => name),
        );
    }
  const seen = new Set<string>();
  for (const { draft, entries } of world.ledger.journal) {
    const { reference } = draft;
    requireThat(
      !seen.has(reference),
      draft.authority === 'event' ? 'ledger_equals_history' : 'one_effect_per_key',
      () => `${reference} was posted twice`,
    );
    seen.add(reference);
    requireThat(
      entries.length === 2 * draft.postings.length,
      'ledger_equals_history',
      () => `${reference} has other entries than postings`,
    );
    if (draft.authority !== 'event') continue;
    requireThat(
      expected.get(reference) === contentText(draft, (name) => name),
      'ledger_equals_history',
      () => `${reference} is not what the history implies`,
    );
  }
  for (const [reference] of expected)
    requireThat(seen.has(reference), 'ledger_equals_history', () => `${reference} is missing in the ledger`);
};

const requireOneEffectPerKey = (world: World): void => {
  const { payments } = world.payment.tables;
  const paymentOfKey = new Map<string, string>();
  const operations = new Set<string>();
  for (const [paymentId, { state: live, events }] of payments) {
    const key = live.reference ?? '';
    requireThat(
      !paymentOfKey.has(key),
      'one_effect_per_key',
      () => `key ${key} made ${paymentOfKey.get(key) ?? ''} and ${paymentId}`,
    );
    paymentOfKey.set(key, paymentId);
    const keys = new Set<string>();
    for (const event of events) {
      if (event.type !== 'CaptureRequested' && event.type !== 'VoidRequested' && event.type !== 'RefundRequested')
        continue;
      const { key: own } = event.metadata;
      if (own === undefined) continue;
      requireThat(!keys.has(own), 'one_effect_per_key', () => `key ${own} had two effects on ${paymentId}`);
      keys.add(own);
    }
    for (const { id } of live.operations) operations.add(id);
  }
  for (const acquirer of world.acquirers.values())
    for (const { reference, outcome } of acquirer.book.values())
      requireThat(
        operations.has(reference) || outcome === 'declined',
        'one_effect_per_key',
        () => `${acquirer.name} did ${reference}, which nobody ordered`,
      );
  requireSameAnswers(world);
};

/** Same key, same request: the same answer, to the byte. */
const requireSameAnswers = (world: World): void => {
  const answers = new Map<string, string>();
  for (const { command, answer } of world.clients.answers) {
    const id = `${command.merchantId} ${command.kind} ${command.key} ${command.requestHash}`;
    const text = `${answer.status} ${answer.bodyText}`;
    const before = answers.get(id);
    requireThat(
      before === undefined || before === text,
      'one_effect_per_key',
      () => `key ${command.key} was answered ${String(before)} and ${text}`,
    );
    answers.set(id, text);
  }
};

const requireAnswersSurvived = (world: World): void => {
  for (const { command, answer } of world.clients.answers) {
    requireStored(world, command, answer);
    if (answer.status >= 300) continue;
    const body = JSON.parse(answer.bodyText) as AnswerBody;
    const stored = world.payment.tables.payments.get(body.paymentId);
    const told = () => `${command.kind} ${command.key} was answered ${answer.bodyText}`;
    if (stored === undefined || stored.events.length < body.version) return fail('answered_survives', told());
    const then = fold(stored.events.slice(0, body.version));
    const amounts = amountsOf(stored.events.slice(0, body.version));
    requireThat(
      statusOf(then) === body.status &&
        minorToJson(amounts.authorized) === body.authorized &&
        minorToJson(amounts.captured) === body.captured &&
        minorToJson(amounts.refunded) === body.refunded &&
        operationOf(then, body.operationId)?.state === body.operationState,
      'answered_survives',
      told,
    );
  }
  for (const { request, transactionId } of world.clients.posted) {
    const seen = world.ledger.references.get(request.reference);
    requireThat(
      seen !== undefined && 'transactionId' in seen && seen.transactionId === transactionId,
      'answered_survives',
      () => `${request.reference} was answered as ${transactionId}`,
    );
  }
};

/** A repetition would be told the same. */
const requireStored = (world: World, { merchantId, kind, key, requestHash }: Command, answer: Answer): void => {
  const row = world.payment.tables.keys.get(`${merchantId} ${kind} ${key}`);
  if (row === undefined || row.requestHash !== requestHash) return;
  requireThat(
    row.answer?.bodyText === answer.bodyText && row.answer.status === answer.status,
    'answered_survives',
    () => `${kind} ${key} was answered ${answer.bodyText}, and now is answered ${row.answer?.bodyText ?? 'nothing'}`,
  );
};

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? `${member}` : member));

const requireRebuilt = (world: World): void => {
  for (const [paymentId, { events, live }] of world.payment.tables.payments)
    requireThat(textOf(fold(events)) === textOf(live), 'read_model_equals_rebuild', () => paymentId);
};

const requireNothingOpen = (world: World): void => {
  for (const [paymentId, { state: live }] of world.payment.tables.payments) {
    requireThat(
      live.authorization === null || live.closed,
      'nothing_is_forgotten',
      () => `${paymentId} has ended and is still held`,
    );
    for (const operation of live.operations)
      requireThat(
        !isOpen(operation),
        'nothing_is_forgotten',
        () => `${paymentId} ${operation.id} is ${operation.state} for ever`,
      );
  }
};

/** The hold of a payment is as the payment says; what was held besides it was given back untouched. */
const requireBooksAgree = (world: World): void => {
  const sums = new Map<string, bigint>();
  const add = (account: string, amountMinor: bigint): void => {
    sums.set(account, (sums.get(account) ?? 0n) + amountMinor);
  };
  const attempts = new Map<string, Payment>();
  for (const { state: live } of world.payment.tables.payments.values())
    for (const { id, kind } of live.operations) if (kind === 'authorize') attempts.set(id, live);
  for (const acquirer of world.acquirers.values())
    for (const held of acquirer.held.values()) {
      const payment = attempts.get(held.reference);
      if (payment === undefined)
        return fail('one_effect_per_key', `${acquirer.name} holds ${held.reference}, which nobody ordered`);
      requireHoldAgrees(payment, held);
      add(`psp:${acquirer.name}:receivable ${held.currency}`, held.refundedMinor - held.capturedMinor);
      if (!held.closed)
        add(`memo:psp:${acquirer.name}:authorized ${held.currency}`, held.capturedMinor - held.amountMinor);
    }
  for (const { state: live, events } of world.payment.tables.payments.values()) requireFeesAgree(world, live, events);
  for (const [name, { balanceMinor }] of world.ledger.accounts)
    if (/^(psp|memo:psp):/.test(name))
      requireThat(
        balanceMinor === (sums.get(name) ?? 0n),
        'books_agree',
        () => `${name}: ${balanceMinor} in the ledger, ${sums.get(name) ?? 0n} in the acquirer’s book`,
      );
  requireMerchantsAgree(world);
};

const requireHoldAgrees = (payment: Payment, held: Held): void => {
  const { paymentId, authorization } = payment;
  const isOwn = authorization?.acquirerReference === held.authorizationId;
  const tells = `${paymentId} (${statusOf(payment)})`;
  if (!isOwn) {
    requireThat(
      held.closed && held.capturedMinor === 0n,
      'books_agree',
      () => `${tells}: ${held.authorizationId} is held and nobody wants it`,
    );
    return;
  }
  const captured = sumOf(payment, 'capture');
  const refunded = sumOf(payment, 'refund');
  requireThat(
    held.capturedMinor === captured && held.refundedMinor === refunded && held.closed === payment.closed,
    'books_agree',
    () =>
      `${tells}: captured ${captured}, refunded ${refunded}, closed ${payment.closed}; the acquirer says ${held.capturedMinor}, ${held.refundedMinor}, ${held.closed}`,
  );
};

const sumOf = ({ operations }: Payment, kind: 'capture' | 'refund'): bigint =>
  operations.reduce(
    (sum, operation) => (operation.kind === kind && operation.state === 'approved' ? sum + operation.amountMinor : sum),
    0n,
  );

/** The fees of many captures are the fee of one. */
const requireFeesAgree = (world: World, { paymentId, merchantId }: Payment, events: readonly PaymentEvent[]): void => {
  const { captured, fee } = amountsOf(events);
  const owed = feeOnTotal(captured, world.feeTermsOf(merchantId));
  requireThat(fee === owed, 'within_limits', () => `${paymentId}: fees of ${fee} on ${captured}, ${owed} were agreed`);
};

/** What merchants and we have is what acquirers owe. */
const requireMerchantsAgree = (world: World): void => {
  const totals = new Map<string, bigint>();
  for (const { code, currency, balanceMinor } of world.ledger.accounts.values())
    if (/^(psp:|merchant:|fees:)/.test(code)) totals.set(currency, (totals.get(currency) ?? 0n) + balanceMinor);
  for (const [currency, total] of totals)
    requireThat(total === 0n, 'books_agree', () => `payables, fees and receivables in ${currency} differ by ${total}`);
};
