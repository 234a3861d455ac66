import type { AcquirerMode, AcquirerOperation, CardBehaviour } from '@payflow/contracts';

import { type AcquirerName, FIRST_ACQUIRER } from './acquirers.js';

type OperationKind = AcquirerOperation['operation'];

/** What goes wrong on the way of a request or of its answer. */
export type Fault =
  'silence_before_effect' | 'silence_after_effect' | 'error_before_effect' | 'error_after_effect' | 'unavailable';

/** How an operation that the rules approve runs, from its first answer to its last result. */
export type Course =
  | 'as_ruled'
  | 'declined'
  | 'technical_decline'
  | 'pending_then_approved'
  | 'pending_then_declined'
  | 'late_success'
  | 'partial_approval'
  | 'challenge'
  | 'challenge_fails'
  | 'approved_then_declined';

/** Webhooks other than the usual one for each result that comes after the answer. */
export type WebhookHabit = 'duplicate' | 'reordered';

/** A mode takes over what it names; the rest stays the card's. */
interface ModeEffect {
  readonly fault?: Fault;
  readonly course?: Course;
  readonly webhooks?: WebhookHabit;
}

const MODES: Readonly<Record<AcquirerMode, ModeEffect>> = {
  normal: {},
  slow: {},
  timeout_after_effect: { fault: 'silence_after_effect' },
  timeout_without_effect: { fault: 'silence_before_effect' },
  error_before_effect: { fault: 'error_before_effect' },
  error_after_effect: { fault: 'error_after_effect' },
  unavailable: { fault: 'unavailable' },
  declined: { course: 'declined' },
  technical_decline: { course: 'technical_decline' },
  pending_then_approved: { course: 'pending_then_approved' },
  pending_then_declined: { course: 'pending_then_declined' },
  late_success: { course: 'late_success' },
  partial_approval: { course: 'partial_approval' },
  challenge: { course: 'challenge' },
  duplicate_webhooks: { webhooks: 'duplicate' },
  reordered_webhooks: { webhooks: 'reordered' },
};

/** A card's fault is its authorization's; a repetition of the same request is served. */
interface CardEffect {
  readonly fault?: Fault;
  readonly authorize?: Course;
  readonly refund?: Course;
}

const CARDS: Readonly<Record<CardBehaviour, CardEffect>> = {
  approved: {},
  declined: {},
  challenge: { authorize: 'challenge' },
  challenge_fails: { authorize: 'challenge_fails' },
  refund_pending: { refund: 'pending_then_approved' },
  refund_fails_later: { refund: 'approved_then_declined' },
  timeout_after_effect: { fault: 'silence_after_effect' },
  timeout_without_effect: { fault: 'silence_before_effect' },
  error_before_effect: { fault: 'error_before_effect' },
  error_after_effect: { fault: 'error_after_effect' },
  technical_decline_at_first: { authorize: 'technical_decline' },
  late_success: { authorize: 'late_success' },
  pending_then_approved: { authorize: 'pending_then_approved' },
  pending_then_declined: { authorize: 'pending_then_declined' },
  partial_approval: { authorize: 'partial_approval' },
  disputed: {},
};

export const faultOfMode = (mode: AcquirerMode): Fault | undefined => MODES[mode].fault;

export const faultOfCard = (card: CardBehaviour | null): Fault | undefined =>
  card === null ? undefined : CARDS[card].fault;

export const webhookHabitOf = (mode: AcquirerMode): WebhookHabit | null => MODES[mode].webhooks ?? null;

/** The course that the card itself has for this operation. */
export const courseOfCard = (card: CardBehaviour | null, operation: OperationKind, acquirer: AcquirerName): Course => {
  if (card === null || operation === 'capture' || operation === 'void') return 'as_ruled';
  if (card === 'technical_decline_at_first' && acquirer !== FIRST_ACQUIRER) return 'as_ruled';
  return CARDS[card][operation] ?? 'as_ruled';
};

const OF_AUTHORIZATIONS_ONLY: ReadonlySet<Course> = new Set(['partial_approval', 'challenge']);

/** The mode's course where it has one that fits the operation, else the given one. */
export const courseOf = (mode: AcquirerMode, otherwise: Course, operation: OperationKind): Course => {
  const { course } = MODES[mode];
  if (course === undefined) return otherwise;
  return operation !== 'authorize' && OF_AUTHORIZATIONS_ONLY.has(course) ? otherwise : course;
};

/** Of modes without a filter for operations, those that hold for inquiries too: the acquirer is slow or away as a whole. */
export const MODES_OF_INQUIRIES: readonly AcquirerMode[] = ['slow', 'unavailable'];

/** A reversal is decided at once: of the courses only the refusals are its. */
export const courseOfReversal = (mode: AcquirerMode): Course => {
  const { course } = MODES[mode];
  return course === 'declined' || course === 'technical_decline' ? course : 'as_ruled';
};
