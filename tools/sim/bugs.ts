import { type Decision, feeOnTotal, refuse } from '@payflow/kernel';

import type { PaymentEvent } from '../../apps/payment/src/domain/events.js';
import { isOpen, operationOf, type Payment } from '../../apps/payment/src/domain/payment.js';
import type { InvariantName } from './invariants.ts';
import { productSeams, RULES, type Rules, type Seams } from './seams.ts';

/** A mistake that somebody could make, and what must notice it. */
export interface Bug {
  readonly name: string;
  readonly mistake: string;
  readonly plant: (seams: Seams) => Partial<Seams>;
  /** Any of these; which one is first depends on the seed. */
  readonly foundBy: readonly InvariantName[];
}

const rules = (changes: Partial<Rules>) => (): Partial<Seams> => ({ rules: { ...RULES, ...changes } });

type OutcomeDecision = ReturnType<Seams['recordOutcome']>;

/** Lets a bug rewrite what an acquirer's word leads to. */
const outcomes =
  (rewrite: (seams: Seams, ...call: Parameters<Seams['recordOutcome']>) => OutcomeDecision) =>
  (seams: Seams): Partial<Seams> => ({
    recordOutcome: (payment, command) => rewrite(seams, payment, command),
  });

const mapEvents = <Refusal>(
  decision: Decision<PaymentEvent, Refusal>,
  change: (event: PaymentEvent) => PaymentEvent | undefined,
): Decision<PaymentEvent, Refusal> =>
  decision.ok ? { ok: true, events: decision.events.flatMap((event) => change(event) ?? []) } : decision;

const without = (payment: Payment, hidden: (operation: Payment['operations'][number]) => boolean): Payment => ({
  ...payment,
  operations: payment.operations.filter((operation) => !hidden(operation)),
});

const DECLINED = {
  kind: 'declined',
  code: 'no_answer',
  declineCode: null,
  adviceCode: null,
  message: 'The acquirer did not answer.',
} as const;

export const BUGS: readonly Bug[] = [
  // One request, one effect.
  {
    name: 'key-in-a-transaction-of-its-own',
    mistake: 'The idempotency key is claimed and committed before the intent.',
    plant: rules({ claimIsWithIntent: false }),
    foundBy: ['answered_survives', 'assertion'],
  },
  {
    name: 'twins-both-claim',
    mistake: 'Two requests with one key at one moment both find it new.',
    plant: rules({ keyIsClaimedOnce: false }),
    foundBy: ['one_effect_per_key', 'assertion'],
  },
  {
    name: 'resume-restarts',
    mistake: 'Who takes over from a dead owner decides anew, under new ids.',
    plant: rules({ resumesFromIntent: false }),
    foundBy: ['one_effect_per_key'],
  },
  {
    name: 'fence-forgotten',
    mistake: 'A key is completed by whoever worked on it, also after another took it over.',
    plant: rules({ fenceIsChecked: false }),
    foundBy: ['answered_survives', 'one_effect_per_key'],
  },
  {
    name: 'short-lease-without-fence',
    mistake: 'The lease is shorter than an acquirer may take, and no fence is checked.',
    plant: rules({ claimLeaseMs: 3_000, fenceIsChecked: false }),
    foundBy: ['answered_survives', 'one_effect_per_key'],
  },
  {
    name: 'answer-apart-from-outcome',
    mistake: 'The answer is given, and stored in a later transaction than the outcome it tells of.',
    plant: rules({ answerIsStoredWithOutcome: false }),
    foundBy: ['answered_survives'],
  },
  {
    name: 'request-hash-ignored',
    mistake: 'A key is good for any request.',
    plant: ({ judgeKey }) => ({ judgeKey: (key) => judgeKey({ ...key, sameRequest: true }) }),
    foundBy: ['one_effect_per_key'],
  },
  {
    name: 'resend-under-a-new-id',
    mistake: 'Recovery sends an order again under a fresh reference.',
    plant: rules({ resendsUnderSameId: false }),
    foundBy: ['one_effect_per_key'],
  },
  {
    name: 'retry-without-key',
    mistake: 'After silence the request is sent again at once, without the key of the first.',
    plant: rules({ silenceIsNotRetried: false }),
    foundBy: ['one_effect_per_key', 'books_agree', 'never_guesses'],
  },
  // Never guess.
  {
    name: 'silence-is-failure',
    mistake: 'No answer is taken for a no.',
    plant: outcomes(({ recordOutcome }, payment, command) =>
      recordOutcome(
        payment,
        command.outcome.kind === 'unanswered' ? { ...command, outcome: { ...DECLINED, technical: false } } : command,
      ),
    ),
    foundBy: ['never_guesses', 'books_agree'],
  },
  {
    name: 'silence-is-success',
    mistake: 'No answer is taken for a yes.',
    plant: outcomes(({ recordOutcome }, payment, command) =>
      recordOutcome(
        payment,
        command.outcome.kind === 'unanswered'
          ? { ...command, outcome: { kind: 'approved', acquirerReference: `auth_${command.operationId}` } }
          : command,
      ),
    ),
    foundBy: ['books_agree', 'never_guesses', 'nothing_is_forgotten'],
  },
  {
    name: 'second-acquirer-after-silence',
    mistake: 'After silence the next acquirer of the route is tried.',
    plant: outcomes(({ recordOutcome }, payment, command) =>
      recordOutcome(
        payment,
        command.outcome.kind === 'unanswered' && operationOf(payment, command.operationId)?.kind === 'authorize'
          ? { ...command, outcome: { ...DECLINED, technical: true } }
          : command,
      ),
    ),
    foundBy: ['never_guesses', 'books_agree'],
  },
  {
    name: 'not-sent-proves-too-much',
    mistake: 'That this try was not sent is taken for a no, although an earlier one may have arrived.',
    plant: rules({ recoveryDoubts: false }),
    foundBy: ['never_guesses', 'books_agree'],
  },
  {
    name: 'given-up-without-reversal',
    mistake: 'An attempt that is too old fails at once, without the acquirer’s word.',
    plant: () => ({
      giveUp: (payment, { at, operationId }) => {
        const attempt = operationOf(payment, operationId);
        if (attempt?.kind !== 'authorize' || !isOpen(attempt)) return refuse({ code: 'nothing_due' });
        const failure = { ...DECLINED, code: 'authorization_timed_out' };
        return {
          ok: true,
          events: [
            { type: 'AuthorizationDeclined', at, attemptId: attempt.id, failure, reached: false },
            { type: 'PaymentFailed', at, attemptId: attempt.id, failure },
          ],
        };
      },
    }),
    foundBy: ['never_guesses'],
  },
  {
    name: 'late-success-ignored',
    mistake: 'An approval that comes after the attempt has ended is dropped.',
    plant: outcomes(({ recordOutcome }, payment, command) => {
      const decision = recordOutcome(payment, command);
      const isLate =
        decision.ok &&
        decision.events.some((event) => event.type === 'ApprovalUnwanted' && event.cause === 'late_success');
      return isLate ? { ok: true, events: [] } : decision;
    }),
    foundBy: ['books_agree'],
  },
  {
    name: 'partial-approval-taken',
    mistake: 'An approval for less than was asked is taken for one of all of it.',
    plant: outcomes(({ recordOutcome }, payment, command) =>
      recordOutcome(
        payment,
        command.outcome.kind === 'partially_approved'
          ? { ...command, outcome: { kind: 'approved', acquirerReference: command.outcome.acquirerReference } }
          : command,
      ),
    ),
    foundBy: ['books_agree', 'nothing_is_forgotten'],
  },
  {
    name: 'webhook-applied-twice',
    mistake: 'News of a refund that is known is news again.',
    plant: outcomes(({ recordOutcome }, payment, command) => {
      const operation = operationOf(payment, command.operationId);
      if (operation?.kind !== 'refund' || operation.state !== 'approved' || command.outcome.kind !== 'approved')
        return recordOutcome(payment, command);
      const { id: refundId, amountMinor } = operation;
      const { acquirerReference } = command.outcome;
      return {
        ok: true,
        events: [{ type: 'RefundSucceeded', at: command.at, refundId, amountMinor, acquirerReference }],
      };
    }),
    foundBy: ['within_limits', 'ledger_equals_history', 'books_agree'],
  },
  {
    name: 'webhooks-unheard-after-the-end',
    mistake: 'A webhook is acknowledged and forgotten.',
    plant: rules({ webhooksAreLookedInto: false }),
    foundBy: ['books_agree'],
  },
  {
    name: 'refund-fails-unseen',
    mistake: 'That a refund failed after it had succeeded is taken for old news.',
    plant: outcomes(({ recordOutcome }, payment, command) =>
      mapEvents(recordOutcome(payment, command), (event) =>
        event.type === 'RefundFailed' && event.hadSucceeded ? undefined : event,
      ),
    ),
    foundBy: ['books_agree'],
  },
  {
    name: 'nobody-takes-orders-up',
    mistake: 'Orders whose process died are never looked at again.',
    plant: rules({ recoveryTakesOrdersUp: false }),
    foundBy: ['books_agree', 'nothing_is_forgotten'],
  },
  {
    name: 'inquiries-without-pause',
    mistake: 'The acquirer is asked again at once, for as long as it does not say.',
    plant: () => ({ nextLookMs: () => 1 }),
    foundBy: ['comes_to_an_end', 'nothing_is_forgotten'],
  },
  {
    name: 'stuck-never-raised',
    mistake: 'After the last inquiry nobody is told.',
    plant: () => ({ markStuck: () => refuse({ code: 'nothing_due' }) }),
    foundBy: ['nothing_is_forgotten'],
  },
  // Limits.
  {
    name: 'capture-off-by-one',
    mistake: 'One more than what is left can be captured.',
    plant: ({ capture }) => ({
      capture: (payment, command) => {
        const decision = capture(payment, command);
        return !decision.ok &&
          decision.refusal.code === 'capture_exceeds_authorization' &&
          command.amountMinor === decision.refusal.capturableMinor + 1n
          ? {
              ok: true,
              events: [
                {
                  type: 'CaptureRequested',
                  at: command.at,
                  captureId: command.captureId,
                  amountMinor: command.amountMinor,
                  final: command.final,
                  metadata: command.metadata,
                },
              ],
            }
          : decision;
      },
    }),
    foundBy: ['assertion'],
  },
  {
    name: 'pending-refunds-not-counted',
    mistake: 'Refunds under way do not count against what is left to refund.',
    plant: ({ refund }) => ({
      refund: (payment, command) =>
        refund(
          without(payment, (operation) => operation.kind === 'refund' && isOpen(operation)),
          command,
        ),
    }),
    foundBy: ['assertion'],
  },
  {
    name: 'void-races-capture',
    mistake: 'A payment can be canceled while a capture is under way.',
    plant: ({ cancel }) => ({
      cancel: (payment, command) =>
        cancel(
          without(payment, (operation) => operation.kind === 'capture' && isOpen(operation)),
          command,
        ),
    }),
    foundBy: ['books_agree', 'nothing_is_forgotten', 'assertion'],
  },
  {
    name: 'payment-not-locked',
    mistake: 'Two writers of a payment both start from the same version.',
    plant: rules({ paymentIsLocked: false }),
    foundBy: ['assertion', 'one_effect_per_key', 'within_limits'],
  },
  {
    name: 'fixed-fee-on-each-capture',
    mistake: 'The fixed part of the fee is charged for each capture.',
    plant: outcomes(({ recordOutcome }, payment, command) =>
      mapEvents(recordOutcome(payment, command), (event) =>
        event.type === 'PaymentCaptured'
          ? { ...event, feeMinor: feeOnTotal(event.amountMinor, command.feeTerms) }
          : event,
      ),
    ),
    foundBy: ['within_limits'],
  },
  {
    name: 'expiry-by-own-clock',
    mistake: 'A process whose clock jumped ahead takes every hold for expired.',
    plant: rules({ expiryByDatabaseClock: false }),
    foundBy: ['not_before_its_time'],
  },
  {
    name: 'hold-never-expires',
    mistake: 'What is left of a hold is never given back.',
    plant: ({ expire }) => ({
      expire: (payment, command) => (payment.capturedAt ? refuse({ code: 'nothing_due' }) : expire(payment, command)),
    }),
    foundBy: ['nothing_is_forgotten'],
  },
  // Outbox and relay.
  {
    name: 'publish-before-commit',
    mistake: 'Events are sent to the broker inside the transaction, before its commit.',
    plant: rules({ eventsArePublishedByOutbox: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'outbox-skips-a-number',
    mistake: 'The counter of an aggregate goes on by one more than the events that were published.',
    plant: ({ numberEvents }) => ({
      numberEvents: (before, events, topicOf) => {
        const { numbered, after } = numberEvents(before, events, topicOf);
        return { numbered, after: after.lastSequence === 2 ? { ...after, lastSequence: 3 } : after };
      },
    }),
    foundBy: ['reaches_consumers_once', 'comes_to_an_end'],
  },
  {
    name: 'marks-before-ack',
    mistake: 'The relay marks rows as published before the broker has acknowledged them.',
    plant: rules({ marksAfterAck: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'relay-by-position',
    mistake: 'The relay goes on behind the last position it saw, and so past those that committed later.',
    plant: rules({ relaySelectsUnpublished: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'not-republished',
    mistake: 'After Kafka’s data was erased only new events are sent.',
    plant: rules({ republishesAll: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'event-not-told',
    mistake: 'An expiry is not published.',
    plant: ({ publicationOf }) => ({
      publicationOf: (event, payment) => (event.type === 'PaymentExpired' ? undefined : publicationOf(event, payment)),
    }),
    foundBy: ['reaches_consumers_once'],
  },
  // Consumers.
  {
    name: 'inbox-dropped',
    mistake: 'A consumer does not remember which events it had.',
    plant: rules({ inboxRemembers: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'inbox-before-effect',
    mistake: 'The inbox row is committed before the effect.',
    plant: rules({ inboxIsWithEffect: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'offset-before-effect',
    mistake: 'The offset is stored before the effect is committed.',
    plant: rules({ offsetsAreWithEffect: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'offset-of-another-cluster',
    mistake: 'After Kafka’s data was erased, reading goes on at the old offset.',
    plant: rules({ offsetsAreOfTheCluster: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'gate-ignores-order',
    mistake: 'An ordered consumer takes events as they come.',
    plant: ({ decideAtGates }) => ({
      decideAtGates: (fresh, _next, parked, deliverMax) =>
        decideAtGates(
          fresh,
          new Map(fresh.map(({ delivery, sequence }) => [delivery.envelope.aggregateId, sequence])),
          parked,
          deliverMax,
        ),
    }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'parked-in-memory',
    mistake: 'Early and failed messages are parked in the process, and lost with it.',
    plant: rules({ parkedIsDurable: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'parked-never-woken',
    mistake: 'When a retried event has passed the gate, those behind it stay parked.',
    plant: rules({ wakesParked: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'retry-without-fence',
    mistake: 'A parked message is claimed for less time than its handling takes, and applied by whoever claimed it.',
    plant: rules({ parkedLeaseMs: 1, parkedFenceIsChecked: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'failed-message-skipped',
    mistake: 'A message whose handler failed is skipped, so that the partition moves on.',
    plant: rules({ failedIsParked: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'dead-letter-swallowed',
    mistake: 'A message that is out of tries is dropped.',
    plant: rules({ deadLettersAreKept: false }),
    foundBy: ['reaches_consumers_once'],
  },
  {
    name: 'gap-never-fetched',
    mistake: 'An event that Kafka does not bring is waited for, for ever.',
    plant: rules({ gapsAreFetched: false }),
    foundBy: ['reaches_consumers_once'],
  },
  // Ledger and read models.
  {
    name: 'reference-posts-again',
    mistake: 'The ledger does not know the references it has posted.',
    plant: rules({ referencePostsOnce: false }),
    foundBy: ['one_effect_per_key', 'answered_survives', 'ledger_equals_history'],
  },
  {
    name: 'journal-not-locked',
    mistake: 'Two batches are decided on the same balances.',
    plant: rules({ journalIsLocked: false }),
    foundBy: ['balanced', 'one_effect_per_key', 'within_limits'],
  },
  {
    name: 'rounding-loses-a-cent',
    mistake: 'The fee’s credit is rounded apart from its debit.',
    plant: ({ decidePostings }) => ({
      decidePostings: (books, groups) =>
        decidePostings(books, groups).map((decision) => ({
          ...decision,
          outcomes: decision.outcomes.map((outcome) =>
            outcome.kind === 'posted'
              ? {
                  ...outcome,
                  entries: outcome.entries.map((entry) =>
                    entry.entryType === 'FEE' && entry.direction === 'credit' && entry.amountMinor % 2n === 1n
                      ? { ...entry, amountMinor: entry.amountMinor - 1n }
                      : entry,
                  ),
                }
              : outcome,
          ),
        })),
    }),
    foundBy: ['balanced'],
  },
  {
    name: 'floor-ignored',
    mistake: 'A wallet may go below zero.',
    plant: ({ decidePostings }) => ({
      decidePostings: (books, groups) =>
        decidePostings(
          { ...books, accounts: books.accounts.map((account) => ({ ...account, floorMinor: null })) },
          groups,
        ),
    }),
    foundBy: ['within_limits'],
  },
  {
    name: 'release-not-posted',
    mistake: 'What a last capture leaves of the hold stays in the memo accounts.',
    plant: ({ draftOf }) => ({
      draftOf: (envelope, fact, transactionId) => {
        const draft = draftOf(envelope, fact, transactionId);
        if (draft?.type !== 'CAPTURE') return draft;
        const [taken] = draft.postings;
        return {
          ...draft,
          postings: draft.postings.map((posting) =>
            posting.entryType === 'AUTH_RELEASE' && taken ? { ...posting, amountMinor: taken.amountMinor } : posting,
          ),
        };
      },
    }),
    foundBy: ['ledger_equals_history'],
  },
  {
    name: 'read-model-forgets',
    mistake: 'The read model is written by other rules than it is rebuilt by.',
    plant: ({ project }) => ({
      project: (payment, event) => {
        const after = project(payment, event);
        return event.type === 'VoidRequested' ? { ...after, metadata: payment.metadata } : after;
      },
    }),
    foundBy: ['read_model_equals_rebuild'],
  },
];

export const bugNamed = (name: string): Bug | undefined => BUGS.find((bug) => bug.name === name);

/** The system with a bug in it. */
export const seamsWith = (bug: Bug | undefined): Seams => {
  const seams = productSeams();
  return bug === undefined ? seams : { ...seams, ...bug.plant(seams) };
};
