import { describe, expect, it } from '@jest/globals';

import { decideConfirm, type Hold, remainingOf } from './hold.js';

const AT = new Date('2026-02-07T12:00:00Z');
const HOLD: Hold = {
  status: 'PLACED',
  step: null,
  amountMinor: 1_000n,
  confirmedMinor: 200n,
  releasedMinor: 100n,
  expiresAt: new Date('2026-02-08T12:00:00Z'),
};

describe('a hold', () => {
  it('has what was neither confirmed nor released', () => {
    expect(remainingOf(HOLD)).toBe(700n);
  });

  it('is confirmed in whole without an amount', () => {
    expect(decideConfirm(HOLD, { amountMinor: undefined, final: true }, AT)).toEqual({
      ok: true,
      confirmation: { amountMinor: 700n, releaseMinor: 0n },
    });
  });

  it('releases the rest with the last confirmation only', () => {
    const wanted = { amountMinor: 300n };
    expect(decideConfirm(HOLD, { ...wanted, final: true }, AT)).toMatchObject({ confirmation: { releaseMinor: 400n } });
    expect(decideConfirm(HOLD, { ...wanted, final: false }, AT)).toMatchObject({ confirmation: { releaseMinor: 0n } });
  });

  it('gives no more than it has', () => {
    expect(decideConfirm(HOLD, { amountMinor: 701n, final: true }, AT)).toEqual({
      ok: false,
      refusal: { code: 'hold_exceeded', remainingMinor: 700n },
    });
  });

  it.each<[string, Partial<Hold>]>([
    ['not placed yet', { status: 'PENDING', step: 'place' }],
    ['voided', { status: 'VOIDED' }],
    ['being confirmed', { step: 'confirm' }],
    ['past its time', { expiresAt: AT }],
  ])('is not confirmed when it is %s', (_name, changes) => {
    const decision = decideConfirm({ ...HOLD, ...changes }, { amountMinor: 1n, final: true }, AT);
    expect(decision).toEqual({ ok: false, refusal: { code: 'hold_not_open' } });
  });
});
