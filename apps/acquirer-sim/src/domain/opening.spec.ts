import { describe, expect, it } from '@jest/globals';

import { open, verdictOfPayer } from './opening.js';
import { approve, decline } from './outcome.js';
import type { Course } from './treatment.js';

const yes = approve('Approved.');
const no = decline('insufficient_funds', 'try_again_later', 'Declined: not enough money.');

describe('how an operation begins that the rules approve', () => {
  it.each<[Course, string, string | undefined]>([
    ['as_ruled', 'approved', undefined],
    ['declined', 'declined', undefined],
    ['technical_decline', 'declined', undefined],
    ['partial_approval', 'approved', undefined],
    ['pending_then_approved', 'pending', 'approved'],
    ['pending_then_declined', 'pending', 'declined'],
    ['late_success', 'declined', 'approved'],
    ['approved_then_declined', 'approved', 'declined'],
    ['challenge', 'action_required', 'approved'],
    ['challenge_fails', 'action_required', 'declined'],
  ])('%s: %s, and then %s', (course, first, last) => {
    const { outcome, later } = open(course, yes, 1000n);
    expect(outcome.kind).toBe(first);
    expect(later && (later.by === 'time' ? later.verdict : later.whenCompleted).kind).toBe(last);
  });

  it('a technical decline says that another acquirer may be tried; any other does not', () => {
    expect(open('technical_decline', yes, 1n).outcome).toMatchObject({
      technical: true,
      adviceCode: 'try_again_later',
    });
    expect(open('declined', yes, 1n).outcome).toMatchObject({ technical: false });
  });

  it.each([
    [1000n, 500n],
    [1001n, 500n],
    [2n, 1n],
    // There is no half of the smallest unit.
    [1n, 1n],
  ])('of %s, half is approved: %s', (asked, given) => {
    expect(open('partial_approval', yes, asked).amountMinor).toBe(given);
  });
});

describe('how an operation begins that the rules decline', () => {
  it.each<Course>([
    'as_ruled',
    'declined',
    'technical_decline',
    'partial_approval',
    'pending_then_approved',
    'late_success',
    'approved_then_declined',
    'challenge',
  ])('%s: at once, for the reason of the rules', (course) => {
    expect(open(course, no, 1000n)).toEqual({ outcome: no, amountMinor: 1000n });
  });

  it('a decline that is pending first keeps its reason', () => {
    expect(open('pending_then_declined', no, 1000n).later).toMatchObject({ by: 'time', verdict: no });
  });
});

describe('the payer', () => {
  it('confirms what waits for him, or fails', () => {
    expect(verdictOfPayer('complete', yes, false)).toBe(yes);
    expect(verdictOfPayer('fail', yes, false)).toMatchObject({ declineCode: 'authentication_failed' });
    expect(verdictOfPayer('fail', yes, true)).toMatchObject({ declineCode: 'rejected_by_payer' });
  });

  it('cannot confirm what fails whatever he does', () => {
    const { later } = open('challenge_fails', yes, 1n);
    const whenCompleted = later?.by === 'payer' ? later.whenCompleted : yes;
    expect(verdictOfPayer('complete', whenCompleted, false).kind).toBe('declined');
  });
});
