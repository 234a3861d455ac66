import { decidePostings } from '../../apps/ledger/src/domain/decide-postings.js';
import { draftOf } from '../../apps/ledger/src/domain/payment-draft.js';
import { publicationOf } from '../../apps/payment/src/application/publications.js';
import { nextLookMs } from '../../apps/payment/src/application/recovery-schedule.js';
import { outcomeOfAnswer } from '../../apps/payment/src/clients/acquirer-answer.js';
import { authorize } from '../../apps/payment/src/domain/authorize.js';
import { cancel } from '../../apps/payment/src/domain/cancel.js';
import { capture } from '../../apps/payment/src/domain/capture.js';
import { create } from '../../apps/payment/src/domain/create.js';
import { evolve } from '../../apps/payment/src/domain/evolve.js';
import { expire } from '../../apps/payment/src/domain/expire.js';
import { giveUp, markStuck } from '../../apps/payment/src/domain/give-up.js';
import { recordOutcome } from '../../apps/payment/src/domain/record-outcome.js';
import { refund } from '../../apps/payment/src/domain/refund.js';
import { afterInquiry, nextStep } from '../../apps/payment/src/domain/saga.js';
import { retryDelayMs } from '../../libs/messaging/src/inbox/backoff.js';
import { decideAtGates } from '../../libs/messaging/src/inbox/gate-plan.js';
import { numberEvents } from '../../libs/messaging/src/outbox/number-events.js';
import { MESSAGING_DEFAULTS } from '../../libs/messaging/src/settings.js';
import { judgeKey } from '../../libs/service/src/idempotency-verdict.js';

/**
 * What the simulated system is made of that a planted bug may replace. The functions are the product's own, imported;
 * the rules are what lives in SQL and in the order of statements, as the model keeps them.
 */
export const PRODUCT = {
  create,
  authorize,
  capture,
  cancel,
  refund,
  expire,
  giveUp,
  markStuck,
  recordOutcome,
  nextStep,
  afterInquiry,
  outcomeOfAnswer,
  /** Makes the state that decisions rest on. */
  evolve,
  /** Makes the read model that is written beside the events. */
  project: evolve,
  nextLookMs,
  publicationOf,
  numberEvents,
  judgeKey,
  decideAtGates,
  retryDelayMs,
  draftOf,
  decidePostings,
};

export const RULES = {
  /** The key's row is claimed in the transaction of the intent. */
  claimIsWithIntent: true,
  /** Two requests with one key at one moment: one is refused. */
  keyIsClaimedOnce: true,
  /** A key is completed and renewed only by the fence that holds it. */
  fenceIsChecked: true,
  /** The answer is stored in the transaction of the outcome. */
  answerIsStoredWithOutcome: true,
  /** A successor goes on from the intent, under its ids. */
  resumesFromIntent: true,
  claimLeaseMs: 15_000,
  /** Writers of a payment take turns. */
  paymentIsLocked: true,
  eventsArePublishedByOutbox: true,
  /** Before a message is marked as published, the broker has acknowledged it. */
  marksAfterAck: true,
  /** What is not marked is sent, wherever its position lies. */
  relaySelectsUnpublished: true,
  /** An order is sent again under its own id. */
  resendsUnderSameId: true,
  /** Silence is recorded, never answered by another request at once. */
  silenceIsNotRetried: true,
  recoveryTakesOrdersUp: true,
  /** Recovery says that an earlier try may have arrived. */
  recoveryDoubts: true,
  webhooksAreLookedInto: true,
  expiryByDatabaseClock: true,
  inboxRemembers: true,
  inboxIsWithEffect: true,
  offsetsAreWithEffect: true,
  offsetsAreOfTheCluster: true,
  parkedIsDurable: true,
  wakesParked: true,
  parkedLeaseMs: MESSAGING_DEFAULTS.retryLeaseMs,
  parkedFenceIsChecked: true,
  failedIsParked: true,
  gapsAreFetched: true,
  deadLettersAreKept: true,
  journalIsLocked: true,
  referencePostsOnce: true,
  republishesAll: true,
};

export type Rules = typeof RULES;
export interface Seams extends Readonly<typeof PRODUCT> {
  readonly rules: Readonly<Rules>;
}

export const productSeams = (): Seams => ({ ...PRODUCT, rules: RULES });
