import { describe, expect, it } from '@jest/globals';
import { ACQUIRER_MODES, CARD_BEHAVIOURS, TEST_CARDS } from '@payflow/contracts';

import { ACQUIRERS } from './acquirers.js';
import { courseOf, courseOfCard, courseOfReversal, faultOfCard, faultOfMode, webhookHabitOf } from './treatment.js';

describe('the treatment of an operation', () => {
  it.each([
    ['challenge', 'authorize', 'challenge'],
    ['challenge_fails', 'authorize', 'challenge_fails'],
    ['late_success', 'authorize', 'late_success'],
    ['pending_then_approved', 'authorize', 'pending_then_approved'],
    ['pending_then_declined', 'authorize', 'pending_then_declined'],
    ['partial_approval', 'authorize', 'partial_approval'],
    ['refund_pending', 'refund', 'pending_then_approved'],
    ['refund_fails_later', 'refund', 'approved_then_declined'],
  ] as const)('a card %s has its %s run %s, and everything else as ruled', (card, operation, course) => {
    for (const other of ['authorize', 'capture', 'void', 'refund'] as const) {
      expect(courseOfCard(card, other, 'sim2')).toBe(other === operation ? course : 'as_ruled');
    }
  });

  it('a card that the first acquirer cannot process is fine at every other', () => {
    expect(ACQUIRERS.map((acquirer) => courseOfCard('technical_decline_at_first', 'authorize', acquirer))).toEqual([
      'technical_decline',
      'as_ruled',
    ]);
  });

  it('a card has a fault or a course, never both, and some test card has each behaviour', () => {
    for (const behaviour of CARD_BEHAVIOURS) {
      const courses = (['authorize', 'refund'] as const).map((operation) => courseOfCard(behaviour, operation, 'sim'));
      expect(faultOfCard(behaviour) !== undefined && courses.some((course) => course !== 'as_ruled')).toBe(false);
      expect(TEST_CARDS.some((card) => card.behaviour === behaviour)).toBe(true);
    }
  });

  it('each mode but normal and slow names what it changes', () => {
    const changing = ACQUIRER_MODES.filter(
      (mode) =>
        faultOfMode(mode) !== undefined ||
        webhookHabitOf(mode) !== null ||
        courseOf(mode, 'late_success', 'authorize') !== 'late_success' ||
        mode === 'late_success',
    );
    expect(ACQUIRER_MODES.filter((mode) => !changing.includes(mode))).toEqual(['normal', 'slow']);
  });

  it('a mode that is about the way leaves the course to the card; one about the result takes it over', () => {
    expect(courseOf('timeout_after_effect', 'late_success', 'authorize')).toBe('late_success');
    expect(courseOf('declined', 'late_success', 'authorize')).toBe('declined');
  });

  it('only an authorization is challenged or approved in part', () => {
    for (const mode of ['challenge', 'partial_approval'] as const) {
      expect(courseOf(mode, 'as_ruled', 'authorize')).toBe(mode);
      expect(courseOf(mode, 'as_ruled', 'capture')).toBe('as_ruled');
    }
  });

  it('a reversal is decided at once', () => {
    expect(ACQUIRER_MODES.filter((mode) => courseOfReversal(mode) !== 'as_ruled')).toEqual([
      'declined',
      'technical_decline',
    ]);
  });
});
