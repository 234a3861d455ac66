import { MERCHANT_EVENT_TYPES } from '@payflow/contracts';
import { describe, expect, it } from '@jest/globals';

import { isForMerchants, isWanted, typeWithoutVersion, wantedTypes } from './event-types.js';

describe('which events an endpoint is told of', () => {
  it.each([
    [['*'], 'payment.captured', true],
    [['payment.*'], 'payment.captured', true],
    [['payment.*'], 'payout.paid', false],
    [['payment.captured'], 'payment.captured', true],
    [['payment.captured'], 'payment.authorized', false],
    [['payout.paid', 'dispute.*'], 'dispute.opened', true],
    [['payment.*'], 'payments.other', false],
  ])('%j and %s: %s', (wanted, type, expected) => {
    expect(isWanted(wanted, type)).toBe(expected);
  });

  it('are all with *, and none of those that services keep for each other', () => {
    expect(wantedTypes(['*'])).toEqual(MERCHANT_EVENT_TYPES);
    expect(isForMerchants('settlement.lines')).toBe(false);
    expect(isForMerchants('user.code_issued')).toBe(false);
    expect(isForMerchants('settlement.completed')).toBe(true);
  });

  it('have a type and the version of their payload', () => {
    expect(typeWithoutVersion('payment.captured.v2')).toEqual({ type: 'payment.captured', version: 2 });
  });
});
