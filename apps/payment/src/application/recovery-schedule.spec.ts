import { describe, expect, it } from '@jest/globals';

import { attemptId, authorizing, created, given } from '../../test/histories.js';
import { evolve } from '../domain/evolve.js';
import { type Operation, operationOf } from '../domain/payment.js';
import { nextLookMs } from './recovery-schedule.js';

const SETTINGS = { ACQUIRER_TIMEOUT_MS: 10_000, ACTION_INQUIRY_SECONDS: 300, RECOVERY_DELAYS_SECONDS: [5, 30, 120] };
const NOW = new Date('2026-02-07T12:00:00.000Z');
const SECOND = 1_000;

const waitingForPayer = (leftSeconds: number): Operation => {
  const expiresAt = new Date(NOW.getTime() + leftSeconds * SECOND);
  const event = {
    type: 'ActionRequired',
    at: NOW,
    attemptId: attemptId(),
    url: 'https://bank.example',
    expiresAt,
  } as const;
  const operation = operationOf(evolve(given(created(), authorizing()), event), attemptId());
  if (!operation) throw new Error('given: an attempt that waits for the payer');
  return operation;
};

describe('the next look at an attempt that waits for the payer', () => {
  it.each([
    ['comes gently while he has time', 3_600, 0, 300],
    ['comes when his time is over, and a moment for the acquirer to say so', 60, 0, 65],
    ['comes a moment later when that is just now', 0, 4, 5],
    // The simulation found it: a reversal that stays without an answer for days had the attempt asked about every five seconds.
    ['goes by the schedule once his time is over', -60, 1, 30],
    ['whose last delay repeats', -86_400, 9, 120],
  ])('%s', (_name, leftSeconds, inquiries, seconds) => {
    expect(nextLookMs(waitingForPayer(leftSeconds), inquiries, NOW, SETTINGS)).toBe(seconds * SECOND);
  });
});
