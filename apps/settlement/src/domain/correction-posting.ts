import { type ServicePosting, servicePostingsSchema } from '@payflow/contracts';

import type { CorrectionPosting } from './correction.js';

export interface CorrectionToPost {
  readonly id: string;
  readonly exceptionId: string;
  readonly postings: readonly CorrectionPosting[];
}

/** As the ledger takes it. The reference posts once for ever: one that was posted, and whose answer was lost, is found posted. */
export const postingOf = ({ exceptionId, id, postings }: CorrectionToPost): ServicePosting => ({
  reference: `settlement:${exceptionId}`,
  type: 'CORRECTION',
  postings: postings.map(({ from, to, amount, currency }) => ({ from, to, amount, currency })),
  accounts: postings.flatMap(({ from, to, currency }) => [from, to].map((code) => ({ code, currency, floor: null }))),
  metadata: { settlementExceptionId: exceptionId, correctionId: id },
});

/** Why the ledger could not take it, whatever its accounts have; undefined: it can. */
export const unpostableBecause = (correction: CorrectionToPost): string | undefined => {
  if (correction.postings.length === 0) return 'The line nets to nothing: no money would move.';
  const [fault] = servicePostingsSchema.safeParse({ postings: [postingOf(correction)] }).error?.issues ?? [];
  return fault && `The ledger takes no such posting: ${fault.path.slice(2).map(String).join('.')}: ${fault.message}.`;
};
