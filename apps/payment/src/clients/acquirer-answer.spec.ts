import { describe, expect, it } from '@jest/globals';

import { APPROVED, attemptId, authorizing, created, DECLINED, given, outcome } from '../../test/histories.js';
import { operationOf } from '../domain/payment.js';
import { outcomeOfAnswer, outcomeOfInquiry } from './acquirer-answer.js';

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
  ])('%i', (status, answer) => {
    expect(outcomeOfAnswer(status, {}, operation, 'USD')).toMatchObject(answer);
  });
});

describe('an answer to an inquiry', () => {
  it.each([
    // The one thing that only an inquiry can say.
    [404, { kind: 'not_found' }],
    // A refused question is no refused payment.
    [400, { kind: 'no_answer', reason: 'acquirer_error' }],
    [401, { kind: 'no_answer', reason: 'acquirer_error' }],
    [422, { kind: 'no_answer', reason: 'acquirer_error' }],
    [503, { kind: 'no_answer', reason: 'acquirer_error' }],
    [200, { kind: 'unanswered', reason: 'unintelligible_answer' }],
  ])('%i without an operation', (status, answer) => {
    expect(outcomeOfInquiry(status, {}, operation, 'USD')).toEqual(answer);
  });
});

describe('a reversal', () => {
  it('of what never arrived is confirmed without naming an authorization', () => {
    const payment = given(created(), authorizing(), outcome(attemptId(), DECLINED), outcome(attemptId(), APPROVED));
    const reversal = payment.operations.at(-1);
    if (reversal?.kind !== 'void') throw new Error('given: a reversal that was ordered');
    const body = {
      reference: reversal.id,
      operation: 'void',
      outcome: 'approved',
      authorizationId: null,
      amount: 1000,
      currency: 'USD',
      message: 'Reversed.',
      createdAt: '2026-02-07T12:00:00.000Z',
    };
    expect(outcomeOfAnswer(201, body, reversal, 'USD')).toMatchObject({ kind: 'approved' });
  });
});
