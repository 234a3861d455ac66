import { describe, expect, it } from '@jest/globals';

import {
  ACCOUNT_POLICY,
  ADDRESS_POLICY,
  decideTry,
  SEND_POLICY,
  type ThrottlePolicy,
  type ThrottleState,
} from './throttle.js';

const policy: ThrottlePolicy = { freeFailures: 3, delayMsFirst: 1_000, delayMsMax: 5_000, forgetAfterMs: 60_000 };
const at = (ms: number): Date => new Date(Date.UTC(2026, 0, 1) + ms);

const tries = (times: readonly number[]): readonly (number | 'allowed')[] => {
  let state: ThrottleState | undefined;
  return times.map((ms) => {
    const decision = decideTry(state, policy, at(ms));
    if (!decision.allowed) return decision.retryAfterMs;
    state = decision.next;
    return 'allowed';
  });
};

describe('throttling of logins', () => {
  it('lets the free tries through, then makes the caller wait', () => {
    expect(tries([0, 1, 2, 3])).toEqual(['allowed', 'allowed', 'allowed', 999]);
  });

  it('does not lengthen the wait by tries that were refused', () => {
    expect(tries([0, 0, 0, 400, 800, 1_000])).toEqual(['allowed', 'allowed', 'allowed', 600, 200, 'allowed']);
  });

  it('doubles the wait with each further failure, up to its maximum', () => {
    expect(tries([0, 0, 0, 1_000, 1_000, 3_000, 3_000, 7_000, 7_000, 12_000, 12_000])).toEqual([
      'allowed',
      'allowed',
      'allowed',
      'allowed',
      2_000,
      'allowed',
      4_000,
      'allowed',
      5_000,
      'allowed',
      5_000,
    ]);
  });

  it('forgets after a quiet time', () => {
    expect(tries([0, 0, 0, 70_000, 70_000, 70_000, 70_000])).toEqual([
      'allowed',
      'allowed',
      'allowed',
      'allowed',
      'allowed',
      'allowed',
      1_000,
    ]);
  });

  it.each([
    ['an account', ACCOUNT_POLICY, 300],
    ['an address', ADDRESS_POLICY, 400],
    ['a mail address or phone', SEND_POLICY, 36],
  ])('of %s lets whoever tries as soon as he may no more than so often in a day', (_, tried, most) => {
    let state: ThrottleState | undefined;
    let allowed = 0;
    for (let ms = 0; ms < 86_400_000;) {
      const decision = decideTry(state, tried, at(ms));
      if (decision.allowed) {
        state = decision.next;
        allowed += 1;
      } else ms += decision.retryAfterMs;
    }
    expect(allowed).toBeLessThanOrEqual(most);
  });
});
