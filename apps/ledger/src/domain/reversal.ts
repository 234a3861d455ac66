import type { Currency } from '@payflow/kernel';

import type { Posting } from './journal.js';

/** One posting as the journal holds it, with the codes of its accounts. */
export interface RecordedPosting {
  readonly from: string;
  readonly to: string;
  readonly amountMinor: bigint;
  readonly currency: Currency;
}

export const REVERSAL_TYPE = 'REVERSAL';

/** What takes a transaction back: the same amounts the other way, last posting first, so that each account retraces its steps. */
export const reversalOf = (postings: readonly RecordedPosting[]): readonly Posting[] =>
  postings.toReversed().map(({ from, to, amountMinor, currency }) => ({
    from: to,
    to: from,
    amountMinor,
    currency,
    entryType: REVERSAL_TYPE,
  }));
