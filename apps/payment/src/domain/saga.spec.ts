import { describe, expect, it } from '@jest/globals';

import {
  APPROVED,
  attemptId,
  authorized,
  authorizing,
  captureId,
  capturing,
  created,
  DECLINED,
  given,
  outcome,
  SILENT,
} from '../../test/histories.js';
import { nextStep } from './saga.js';

describe('nextStep', () => {
  it.each([
    ['a fresh authorization is sent', [created(), authorizing()], attemptId()],
    ['an authorized payment waits for the merchant', authorized(), undefined],
    [
      'an approved sale goes on to its capture',
      [created(), authorizing(true), outcome(attemptId(), APPROVED)],
      captureId(),
    ],
    ['a declined sale is over', [created(), authorizing(true), outcome(attemptId(), DECLINED)], undefined],
    ['a silent sale waits for an inquiry', [created(), authorizing(true), outcome(attemptId(), SILENT)], undefined],
    [
      'a finished sale is over',
      [created(), authorizing(true), outcome(attemptId(), APPROVED), outcome(captureId(), APPROVED)],
      undefined,
    ],
  ] as const)('%s', (_sentence, steps, expected) => {
    expect(nextStep(given(...steps), attemptId())?.id).toBe(expected);
  });

  it("leaves another request's capture alone", () => {
    expect(nextStep(given(...authorized(), capturing(1, 100n, false)), attemptId())).toBeUndefined();
    expect(nextStep(given(...authorized(), capturing(1, 100n, false)), captureId(1))?.id).toBe(captureId(1));
  });
});
