import { describe, expect, it } from '@jest/globals';
import { BANK_ACCOUNT_BEHAVIOURS, BANK_MODES, BANK_PAYOUT_STATUSES, TEST_BANK_ACCOUNTS } from '@payflow/contracts';

import { faultOfAccount, mayBecome, openPayout, payoutCourseOf } from './bank.js';

describe('a payout', () => {
  it('that has left the bank is returned, never canceled', () => {
    expect(mayBecome('PAID', 'CANCELED')).toBe(false);
    expect(mayBecome('PAID', 'RETURNED')).toBe(true);
    expect(mayBecome('ACCEPTED', 'CANCELED')).toBe(true);
  });

  it.each(['REFUSED', 'CANCELED', 'RETURNED'] as const)('that is %s has ended', (status) => {
    expect(BANK_PAYOUT_STATUSES.filter((next) => mayBecome(status, next))).toEqual([]);
  });

  it('runs a course whose every step may follow from the one before', () => {
    for (const mode of BANK_MODES) {
      for (const behaviour of BANK_ACCOUNT_BEHAVIOURS) {
        const { now, later } = openPayout(payoutCourseOf(mode, behaviour), 'AC01');
        expect(later === undefined || mayBecome(now.status, later.status)).toBe(true);
      }
    }
  });

  it('is refused for the reason of its account', () => {
    expect(openPayout('refused', 'AM04').now).toEqual({ status: 'REFUSED', reason: 'AM04' });
    expect(openPayout('paid_then_returned', null).later).toEqual({ status: 'RETURNED', reason: 'AC04' });
  });
});

describe('a mode', () => {
  it('comes before the account', () => {
    expect(payoutCourseOf('refused', 'accepted_then_paid')).toBe('refused');
    expect(payoutCourseOf('normal', 'accepted_then_paid')).toBe('accepted_then_paid');
    expect(payoutCourseOf('slow', null)).toBe('paid');
  });
});

describe('the table of test accounts', () => {
  it('says how a payout ends', () => {
    for (const { behaviour, outcome, reason } of TEST_BANK_ACCOUNTS) {
      const { now, later } = openPayout(payoutCourseOf('normal', behaviour), reason);
      const lost = faultOfAccount(behaviour)?.endsWith('before_effect') === true;
      expect(lost ? 'CANCELED' : (later ?? now).status).toBe(outcome);
    }
  });
});
