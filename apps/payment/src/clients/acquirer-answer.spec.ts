import { describe, expect, it } from '@jest/globals';

import { attemptId, authorizing, created, given } from '../../test/histories.js';
import { operationOf } from '../domain/payment.js';
import { outcomeOfAnswer } from './acquirer-answer.js';

const operation = operationOf(given(created(), authorizing()), attemptId());
if (!operation) throw new Error('given: an authorization that was ordered');

describe('an answer of the acquirer that is not a 2xx', () => {
  it.each([
    // It read the request: final.
    [400, { kind: 'declined', code: 'acquirer_refused' }],
    [402, { kind: 'declined', code: 'acquirer_refused' }],
    [422, { kind: 'declined', code: 'acquirer_refused' }],
    // It did not get as far as the request: an earlier try may have had an effect all the same.
    [302, { kind: 'not_sent', reason: 'acquirer_refused' }],
    [401, { kind: 'not_sent', reason: 'acquirer_refused' }],
    [403, { kind: 'not_sent', reason: 'acquirer_refused' }],
    [404, { kind: 'not_sent', reason: 'acquirer_refused' }],
    [425, { kind: 'not_sent', reason: 'acquirer_busy' }],
    [429, { kind: 'not_sent', reason: 'acquirer_busy' }],
    // Another one under this reference, perhaps our own, is on its way.
    [409, { kind: 'unanswered', reason: 'acquirer_conflict' }],
    [408, { kind: 'unanswered', reason: 'acquirer_error' }],
    [500, { kind: 'unanswered', reason: 'acquirer_error' }],
    [503, { kind: 'unanswered', reason: 'acquirer_error' }],
  ])('%i', (status, outcome) => {
    expect(outcomeOfAnswer(status, {}, operation, 'USD')).toMatchObject(outcome);
  });
});
