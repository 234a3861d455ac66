import { acquirerOperationSchema, type AcquirerOperation } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { Operation } from '../domain/payment.js';
import type { InquiryAnswer } from '../domain/saga.js';

/** Reasons that say something about the way to the acquirer, not about the operation. The breaker counts these. */
export const CONNECTION_REASONS: ReadonlySet<string> = new Set([
  'no_answer',
  'acquirer_error',
  'acquirer_unreachable',
  'acquirer_silent',
]);

const unanswered = (reason: string): AcquirerOutcome => ({ kind: 'unanswered', reason });

/** An answer about another operation than the one that was sent proves nothing about this one. */
const isAbout = (answer: AcquirerOperation, operation: Operation, currency: string): boolean =>
  answer.reference === operation.id &&
  answer.operation === operation.kind &&
  answer.currency === currency &&
  (answer.amount === minorToJson(operation.amountMinor) || isPartialApproval(answer, operation));

/** An authorization for less than was asked; of a follow-up, another amount is another operation. */
const isPartialApproval = (answer: AcquirerOperation, operation: Operation): boolean =>
  operation.kind === 'authorize' &&
  answer.outcome === 'approved' &&
  answer.amount > 0 &&
  answer.amount < minorToJson(operation.amountMinor);

/** What is reversed may never have arrived: then there is no authorization to name. */
const referenceOfReversal = (operation: Operation): string | null =>
  operation.kind === 'void' && operation.reverses !== null ? operation.id : null;

const outcomeOfOperation = (answer: AcquirerOperation, operation: Operation): AcquirerOutcome => {
  switch (answer.outcome) {
    case 'pending':
      return unanswered('acquirer_pending');
    case 'declined':
      return {
        kind: 'declined',
        code: answer.operation === 'authorize' ? 'card_declined' : `${answer.operation}_declined`,
        declineCode: answer.declineCode ?? null,
        adviceCode: answer.adviceCode ?? null,
        message: answer.message,
        technical: answer.technical ?? false,
      };
    case 'action_required':
      return answer.action === undefined
        ? unanswered('unintelligible_answer')
        : { kind: 'action_required', url: answer.action.url, expiresAt: new Date(answer.action.expiresAt) };
    case 'approved': {
      const acquirerReference = answer.authorizationId ?? referenceOfReversal(operation);
      if (acquirerReference === null) return unanswered('unintelligible_answer');
      return isPartialApproval(answer, operation)
        ? { kind: 'partially_approved', acquirerReference, amountMinor: BigInt(answer.amount) }
        : { kind: 'approved', acquirerReference };
    }
  }
};

/** The acquirer read the request and will not do it: what it says of its content is final. */
const REFUSALS_OF_CONTENT: ReadonlySet<number> = new Set([400, 402, 422]);
const CONFLICT = 409;
const NOT_FOUND = 404;
const TOO_EARLY = 425;
const TOO_MANY = 429;

/**
 * What an acquirer's HTTP answer says about an operation. Other refusals than of the content (credentials that ran out, a
 * wrong address, too many requests) did nothing now, and say nothing about an earlier try: the order may be sent again. A
 * conflict is about an earlier one. Whatever cannot be understood is not understood, and stays open.
 */
export const outcomeOfAnswer = (
  status: number,
  body: unknown,
  operation: Operation,
  currency: string,
): AcquirerOutcome => {
  if (status >= 200 && status < 300) {
    const answer = acquirerOperationSchema.safeParse(body);
    return answer.success && isAbout(answer.data, operation, currency)
      ? outcomeOfOperation(answer.data, operation)
      : unanswered('unintelligible_answer');
  }
  if (status === 408 || status >= 500 || status < 200) return unanswered('acquirer_error');
  if (status === CONFLICT) return unanswered('acquirer_conflict');
  if (!REFUSALS_OF_CONTENT.has(status)) {
    const busy = status === TOO_EARLY || status === TOO_MANY;
    return { kind: 'not_sent', reason: busy ? 'acquirer_busy' : 'acquirer_refused' };
  }
  return {
    kind: 'declined',
    code: 'acquirer_refused',
    declineCode: null,
    adviceCode: 'do_not_try_again',
    message: `The acquirer refused the request with status ${status}.`,
    technical: false,
  };
};

/** Our credentials or our address of the acquirer are wrong: for the operator, since no payment gets through. */
const REFUSALS_OF_ACCESS: ReadonlySet<number> = new Set([401, 403, NOT_FOUND]);

/** What is to be logged of an answer to an order, so that somebody mends it. */
export const refusesAccess = (status: number): boolean => REFUSALS_OF_ACCESS.has(status);

/**
 * What an acquirer's answer to an inquiry says about the operation. Only an operation in its book, or that there is none,
 * says something; a refused inquiry is no refused operation.
 */
export const outcomeOfInquiry = (
  status: number,
  body: unknown,
  operation: Operation,
  currency: string,
): InquiryAnswer => {
  if (status === NOT_FOUND) return { kind: 'not_found' };
  if (status < 200 || status >= 300) return { kind: 'no_answer', reason: 'acquirer_error' };
  return outcomeOfAnswer(status, body, operation, currency);
};
