import { unreachable } from '@payflow/kernel';

import { approve, decline, declineTechnically, type Outcome, type Verdict } from './outcome.js';
import type { Course } from './treatment.js';

/** How an operation begins: its first answer, and what comes of it by itself. */
export interface Opening {
  readonly outcome: Outcome;
  /** What it concerns: less than asked for when approved in part. */
  readonly amountMinor: bigint;
  readonly later?: Later;
}

/** A result after the answer: when its time has come, or when the payer has been on the page. */
export type Later =
  | { readonly by: 'time'; readonly delay: 'pending' | 'late'; readonly verdict: Verdict }
  | { readonly by: 'payer'; readonly whenCompleted: Verdict };

const GENERIC_DECLINE = decline('generic_decline', 'try_again_later', 'Declined without a reason.');
const NOT_AUTHENTICATED = decline('authentication_failed', 'confirm_card_data', 'The payer was not authenticated.');
const REFUND_FAILED = decline('refund_failed', 'do_not_try_again', 'The refund could not be paid out and came back.');

/** Begins an operation on which the rules have this verdict. What they decline runs no course, except to keep a decline back. */
export const open = (course: Course, verdict: Verdict, amountMinor: bigint): Opening => {
  const atOnce = (outcome: Outcome): Opening => ({ outcome, amountMinor });
  const later = (outcome: Outcome, then: Later): Opening => ({ outcome, amountMinor, later: then });
  switch (course) {
    case 'pending_then_declined':
      return later(pending, {
        by: 'time',
        delay: 'pending',
        verdict: verdict.kind === 'declined' ? verdict : GENERIC_DECLINE,
      });
    case 'challenge_fails':
      return later(actionRequired, { by: 'payer', whenCompleted: NOT_AUTHENTICATED });
    default:
      break;
  }
  if (verdict.kind === 'declined') return atOnce(verdict);
  switch (course) {
    case 'as_ruled':
      return atOnce(verdict);
    case 'declined':
      return atOnce(GENERIC_DECLINE);
    case 'technical_decline':
      return atOnce(declineTechnically('The acquirer cannot process this operation.'));
    case 'pending_then_approved':
      return later(pending, { by: 'time', delay: 'pending', verdict });
    case 'late_success':
      return later(GENERIC_DECLINE, { by: 'time', delay: 'late', verdict: approve('Approved after all.') });
    case 'approved_then_declined':
      return later(verdict, { by: 'time', delay: 'pending', verdict: REFUND_FAILED });
    case 'challenge':
      return later(actionRequired, { by: 'payer', whenCompleted: verdict });
    case 'partial_approval':
      return { outcome: approve('Approved in part.'), amountMinor: amountMinor > 1n ? amountMinor / 2n : amountMinor };
    default:
      return unreachable(course);
  }
};

const pending: Outcome = { kind: 'pending', message: 'Not decided yet.' };
const actionRequired: Outcome = { kind: 'action_required', message: 'The payer must confirm.' };

/** What the payer chose on the page of a challenge or of his bank. */
export type PayerChoice = 'complete' | 'fail';

/** The verdict when the payer has been there in time. */
export const verdictOfPayer = (choice: PayerChoice, whenCompleted: Verdict, paidAtBank: boolean): Verdict => {
  if (choice === 'complete') return whenCompleted;
  return paidAtBank
    ? decline('rejected_by_payer', 'do_not_try_again', 'The payer rejected it at his bank.')
    : NOT_AUTHENTICATED;
};

export const EXPIRED: Verdict = decline('challenge_expired', 'try_again_later', 'The payer did not come in time.');
