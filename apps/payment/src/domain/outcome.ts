import type { Decision } from '@payflow/kernel';

import type { AcquirerOutcome } from './commands.js';
import type { PaymentEvent } from './events.js';
import type { Failure } from './payment.js';
import type { OutcomeRefusal } from './refusals.js';

/** Words that the decisions on an acquirer's answer share. */
export type OutcomeDecision = Decision<PaymentEvent, OutcomeRefusal>;
export type NotSent = Extract<AcquirerOutcome, { kind: 'not_sent' }>;
export type Declined = Extract<AcquirerOutcome, { kind: 'declined' }>;

/** The code of a failure whose request never reached the acquirer. */
export const ACQUIRER_UNAVAILABLE = 'acquirer_unavailable';

export const failureOf = (outcome: Declined | NotSent): Failure =>
  outcome.kind === 'declined'
    ? {
        code: outcome.code,
        declineCode: outcome.declineCode,
        adviceCode: outcome.adviceCode,
        message: outcome.message,
      }
    : {
        code: ACQUIRER_UNAVAILABLE,
        declineCode: null,
        adviceCode: 'try_again_later',
        message: 'The acquirer could not be reached. Nothing was reserved.',
      };

/**
 * Captures, voids and refunds that were not sent are orders that were given and accepted: they wait, like those whose
 * answer is missing, and are sent again under their own id. A payer waits for an authorization, so that one fails,
 * unless an earlier try of it may have arrived.
 */
export const deferred = (outcome: AcquirerOutcome): Exclude<AcquirerOutcome, NotSent> =>
  outcome.kind === 'not_sent' ? { kind: 'unanswered', reason: outcome.reason } : outcome;
