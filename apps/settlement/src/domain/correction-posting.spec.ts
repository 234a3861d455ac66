import { describe, expect, it } from '@jest/globals';
import { AMOUNT_MINOR_MAX } from '@payflow/kernel';

import { correctionPostings, type Side } from './correction.js';
import { unpostableBecause } from './correction-posting.js';

const side = (amountMinor: bigint, feeMinor: bigint): Side => ({ amountMinor, feeMinor, currency: 'USD' });
const missingHere = (theirs: Side) => ({
  id: 'apr_1',
  exceptionId: 'sex_1',
  postings: correctionPostings('missing_here', 'acquirer:sim', undefined, theirs),
});

describe('a correction', () => {
  it('that moves money between accounts of PayFlow can be posted', () => {
    expect(unpostableBecause(missingHere(side(1_000n, 25n)))).toBeUndefined();
  });

  it('that moves nothing cannot', () => {
    expect(unpostableBecause(missingHere(side(25n, 25n)))).toBe('The line nets to nothing: no money would move.');
  });

  it('of more than the ledger takes cannot', () => {
    const line = side(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX);
    expect(unpostableBecause(missingHere(line))).toMatch(/^The ledger takes no such posting: postings\.0\.amount: /);
  });
});
