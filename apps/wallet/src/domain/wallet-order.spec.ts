import { describe, expect, it } from '@jest/globals';

import type { Hold } from './hold.js';
import { decideCapture, decideRefund, decideReversal, decideVoid, judgeConsent } from './wallet-order.js';

const AT = new Date('2026-01-01T00:00:00Z');
const held = (changes: Partial<Hold> = {}): Hold => ({
  status: 'PLACED',
  step: null,
  amountMinor: 500n,
  confirmedMinor: 0n,
  releasedMinor: 0n,
  expiresAt: new Date('2026-02-01T00:00:00Z'),
  ...changes,
});

describe('the consent to an authorization', () => {
  it.each([
    ['the owner asked for exactly this payment', null, true, 'hold'],
    ['a transaction is named that asked for something else', null, false, 'consent_invalid'],
    [
      'a transaction is named that asked for something else, and the owner confirms',
      'usr_owner',
      false,
      'consent_invalid',
    ],
    ['the owner confirms with his own token', 'usr_owner', null, 'hold'],
    ['another person confirms', 'usr_other', null, 'wallet_not_found'],
    ['a merchant asks', null, null, 'wait'],
  ] as const)('when %s (%s, %s): %s', (_, confirmedBy, asked, verdict) => {
    expect(judgeConsent({ ownerId: 'usr_owner', confirmedBy, asked })).toBe(verdict);
  });
});

describe('a capture', () => {
  it('takes all that is held', () => {
    expect(decideCapture(held(), 500n, true, AT)).toEqual({ kind: 'confirm', amountMinor: 500n, releaseMinor: 0n });
  });

  it('releases the rest when it is the last', () => {
    expect(decideCapture(held(), 200n, true, AT)).toEqual({ kind: 'confirm', amountMinor: 200n, releaseMinor: 300n });
    expect(decideCapture(held(), 200n, false, AT)).toEqual({ kind: 'confirm', amountMinor: 200n, releaseMinor: 0n });
  });

  it('never takes more than is left', () => {
    expect(decideCapture(held({ confirmedMinor: 400n }), 101n, true, AT)).toEqual({
      kind: 'declined',
      code: 'hold_exceeded',
    });
  });

  it.each(['PENDING', 'CONFIRMED', 'VOIDED', 'EXPIRED', 'FAILED'] as const)(
    'takes nothing from a hold that is %s',
    (status) => {
      expect(decideCapture(held({ status }), 100n, true, AT)).toEqual({ kind: 'declined', code: 'hold_not_open' });
    },
  );
});

describe('a void and a reversal', () => {
  it('give back all that is left', () => {
    expect(decideVoid(held({ confirmedMinor: 200n }))).toEqual({ kind: 'release', releaseMinor: 300n });
    expect(decideReversal(held())).toEqual({ kind: 'release', releaseMinor: 500n });
  });

  it('have nothing to do when nothing is held', () => {
    expect(decideVoid(held({ status: 'VOIDED', releasedMinor: 500n }))).toEqual({ kind: 'done' });
    expect(decideReversal(held({ status: 'FAILED' }))).toEqual({ kind: 'done' });
  });

  it('do not undo a capture: that is refunded', () => {
    expect(decideReversal(held({ confirmedMinor: 1n }))).toEqual({ kind: 'declined', code: 'already_captured' });
  });
});

describe('a refund', () => {
  it('gives back at most what was captured and not refunded yet', () => {
    const captured = held({ status: 'CONFIRMED', confirmedMinor: 500n });
    expect(decideRefund(captured, 300n, 200n)).toBe('refund');
    expect(decideRefund(captured, 300n, 201n)).toBe('refund_exceeds_capture');
    expect(decideRefund(held(), 0n, 1n)).toBe('refund_exceeds_capture');
  });
});
