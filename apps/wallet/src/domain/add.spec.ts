import { describe, expect, it } from '@jest/globals';

import { type Addition, type AddNews, addStatus, BEGUN_ADDITION, evolveAddition, nextAddStep } from './add.js';

const after = (...news: readonly AddNews[]): Addition =>
  news.reduce((addition, item) => {
    const evolved = evolveAddition(addition, item);
    return evolved.kind === 'changed' ? evolved.addition : addition;
  }, BEGUN_ADDITION);

const paymentId = 'pay_1';
const seen = (
  standing: 'open' | 'taken' | 'taken_otherwise' | 'given_back' | 'failed',
  reason: string | null = null,
): AddNews => ({ kind: 'payment', payment: { paymentId, standing, reason } });

describe('money that is added', () => {
  it('is paid for, then posted', () => {
    expect(nextAddStep(BEGUN_ADDITION, false)).toEqual({ kind: 'pay', perhapsPaidBefore: false });
    expect(nextAddStep(after(seen('taken')), false)).toEqual({ kind: 'post' });
    expect(addStatus(after(seen('taken'), { kind: 'posted' }))).toBe('SUCCESS');
  });

  it('whose payment is open is looked at again, and never paid for twice', () => {
    expect(nextAddStep(after(seen('open')), true)).toEqual({ kind: 'look', paymentId });
    expect(nextAddStep(after({ kind: 'payment_silent' }), true)).toEqual({ kind: 'pay', perhapsPaidBefore: true });
    expect(addStatus(after(seen('open'), seen('taken'), { kind: 'posted' }))).toBe('SUCCESS');
  });

  it.each<[string, AddNews, string]>([
    ['declined', seen('failed', 'insufficient_funds'), 'insufficient_funds'],
    ['refused', { kind: 'payment_refused', code: 'token_unusable' }, 'token_unusable'],
    ['never made', { kind: 'payment_given_up' }, 'payment_not_made'],
    ['given back elsewhere', seen('given_back'), 'payment_refunded'],
  ])('whose payment is %s has failed, for that reason', (_, news, reason) => {
    const end = after(news);
    expect([addStatus(end), end.reason]).toEqual(['FAILED', reason]);
  });

  it('that cannot be posted is refunded before it has failed', () => {
    const impossible = after(seen('taken'), { kind: 'posting_refused', code: 'account_not_found' });
    expect(nextAddStep(impossible, true)).toEqual({ kind: 'refund', paymentId });
    expect(addStatus(impossible)).toBe('PENDING');
    expect(addStatus(after(seen('taken'), { kind: 'posting_refused', code: 'x' }, { kind: 'refunded' }))).toBe(
      'FAILED',
    );
  });

  it('of which another amount was taken is refunded', () => {
    expect(nextAddStep(after(seen('taken_otherwise')), true)).toEqual({ kind: 'refund', paymentId });
  });

  it('that has ended stays so, whatever comes', () => {
    const added = after(seen('taken'), { kind: 'posted' });
    for (const news of [seen('failed'), seen('taken'), { kind: 'refunded' }, { kind: 'posted' }] as const) {
      expect(evolveAddition(added, news)).toEqual({ kind: 'same' });
    }
  });
});
