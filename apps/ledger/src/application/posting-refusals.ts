import type { FieldError } from '@payflow/contracts';
import { unreachable } from '@payflow/kernel';
import { Problem } from '@payflow/service';

import type { Outcome, PostingRefusal } from '../domain/journal.js';

/** One sentence about this refusal. */
export const detailOf = (refusal: PostingRefusal): string => {
  switch (refusal.code) {
    case 'reference_taken':
      return `The reference was posted as ${refusal.transactionId}, with other content.`;
    case 'account_not_found':
      return `There is no account ${refusal.account}.`;
    case 'account_reserved':
      return `The account ${refusal.account} is PayFlow's own.`;
    case 'currency_mismatch':
      return `The account ${refusal.account} has another currency than ${refusal.currency}.`;
    case 'posting_to_itself':
      return `A posting from ${refusal.account} to itself moves nothing.`;
    case 'insufficient_funds':
      return `The account ${refusal.account} (${refusal.currency}) would fall below its floor.`;
    case 'balance_out_of_range':
      return `The balance of ${refusal.account} (${refusal.currency}) would leave the exact range of JSON numbers.`;
    default:
      return unreachable(refusal);
  }
};

/** Where in the body of POST /ledger/transactions the fault is. */
const pointerOf = (index: number, refusal: PostingRefusal): string => {
  const transaction = `/transactions/${index}`;
  if (refusal.code === 'reference_taken') return `${transaction}/reference`;
  const posting = `${transaction}/postings/${refusal.postingIndex}`;
  return 'side' in refusal ? `${posting}/${refusal.side}` : posting;
};

/** Why an atomic batch was not posted. */
export const batchRefused = (outcomes: readonly Outcome[]): Problem =>
  new Problem('batch_refused', {
    detail: 'Nothing was posted.',
    errors: outcomes.flatMap((outcome, index): readonly FieldError[] =>
      outcome.kind === 'refused'
        ? [
            {
              pointer: pointerOf(index, outcome.refusal),
              code: outcome.refusal.code,
              message: detailOf(outcome.refusal),
            },
          ]
        : [],
    ),
  });

/** The refusal of a command that posts one transaction. Every refusal is a code of the contract, or this does not compile. */
export const postingRefused = (refusal: PostingRefusal): Problem =>
  new Problem(refusal.code, { detail: detailOf(refusal) });
