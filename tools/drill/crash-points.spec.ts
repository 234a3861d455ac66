import { describe, expect, it } from '@jest/globals';

import { matches, patternsInCode } from './crash-points.js';

describe('crash points', () => {
  it('are found in the source, those with composed names too', () => {
    expect(patternsInCode()).toEqual(
      expect.arrayContaining(['relay.after-mark', 'idempotency.after-claim', 'ledger.after-write-before-commit']),
    );
    expect(patternsInCode().some((pattern) => matches(pattern, 'payment.refund.after-psp'))).toBe(true);
  });

  it('match their pattern and no other', () => {
    expect(matches('payment.${request.name}.after-psp', 'payment.cancel.after-psp')).toBe(true);
    expect(matches('payment.${request.name}.after-psp', 'payment.cancel.before-psp')).toBe(false);
    expect(matches('relay.after-mark', 'relay-after-mark')).toBe(false);
  });
});
