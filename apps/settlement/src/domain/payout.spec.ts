import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  BEGUN_PAYOUT,
  decidePayout,
  evolvePayout,
  hasEnded,
  nextPayoutStep,
  PAYOUT_STAGES,
  type PayoutNews,
  type PayoutOutcome,
  type PayoutPosting,
  type PayoutState,
  payoutStatus,
} from './payout.js';

const at = (stage: PayoutState['stage'], more: Partial<PayoutState> = {}): PayoutState => ({
  ...BEGUN_PAYOUT,
  stage,
  ...more,
});

const after = (before: PayoutState, ...news: readonly PayoutNews[]): PayoutState =>
  news.reduce((state, one) => {
    const evolved = evolvePayout(state, one);
    if (evolved.kind === 'contradiction') throw new Error(evolved.detail);
    return evolved.kind === 'changed' ? evolved.payout : state;
  }, before);

const posted = (posting: PayoutPosting): PayoutNews => ({ kind: 'posted', posting });
const said = (
  status: 'ACCEPTED' | 'PAID' | 'REFUSED' | 'CANCELED' | 'RETURNED',
  reason: string | null = null,
): PayoutNews => ({
  kind: 'bank_said',
  status,
  reason,
});
const FOUND: PayoutNews = { kind: 'account_found' };
const SILENT: PayoutNews = { kind: 'bank_silent' };
const NOT_FOUND: PayoutNews = { kind: 'bank_not_found' };

describe('the saga of a payout', () => {
  it('finds the account, debits, sends and posts', () => {
    const steps = [FOUND, posted('debit'), said('PAID'), posted('paid')].reduce<readonly PayoutState[]>(
      (states, news) => [...states, after(states.at(-1) ?? BEGUN_PAYOUT, news)],
      [BEGUN_PAYOUT],
    );
    expect(steps.map((state) => [nextPayoutStep(state).kind, payoutStatus(state)])).toEqual([
      ['find_account', 'PENDING'],
      ['post', 'PENDING'],
      ['pay', 'IN_TRANSIT'],
      ['post', 'IN_TRANSIT'],
      ['nothing', 'PAID'],
    ]);
  });

  it('waits for an account, and says so once', () => {
    const waiting = after(BEGUN_PAYOUT, { kind: 'account_missing' });
    expect(waiting).toMatchObject({ stage: 'WAITING', reason: 'payout_account_missing' });
    expect(evolvePayout(waiting, { kind: 'account_missing' })).toEqual({ kind: 'same' });
    expect(after(waiting, FOUND)).toMatchObject({ stage: 'DEBITING', reason: null });
  });

  it('is not sent when the merchant went into debt while it waited', () => {
    const waiting = after(BEGUN_PAYOUT, { kind: 'account_missing' });
    const failed = after(waiting, { kind: 'merchant_in_debt' });
    expect([failed.stage, failed.reason, payoutStatus(failed)]).toEqual(['NOT_DEBITED', 'merchant_in_debt', 'FAILED']);
    expect(evolvePayout(at('SENDING'), { kind: 'merchant_in_debt' })).toEqual({ kind: 'same' });
  });

  it('asks a silent bank, and sends again under the same reference what it has not seen', () => {
    expect(after(at('SENDING'), SILENT)).toMatchObject({ stage: 'ASKING' });
    expect(after(at('SENDING'), SILENT, NOT_FOUND)).toMatchObject({ stage: 'SENDING' });
    expect(after(at('SENDING'), SILENT, SILENT, said('PAID'))).toMatchObject({ stage: 'SETTLING' });
  });

  it('gives back what the bank refuses, with its reason', () => {
    const refused = after(at('SENDING'), said('ACCEPTED'), said('REFUSED', 'AC04'), posted('reversal'));
    expect(refused).toMatchObject({ stage: 'REVERSED', reason: 'AC04' });
    expect(payoutStatus(refused)).toBe('FAILED');
  });

  it('takes a request that the bank cannot read for unpaid only when the bank has forbidden it', () => {
    const rejected = after(at('SENDING'), { kind: 'bank_rejected', code: 'validation_failed' });
    expect([rejected.stage, nextPayoutStep(rejected).kind]).toEqual(['CANCELING', 'cancel']);
    expect(after(rejected, said('CANCELED'))).toMatchObject({
      stage: 'REVERSING',
      reason: 'payout_rejected_validation_failed',
    });
    expect(after(rejected, said('PAID'))).toMatchObject({ stage: 'SETTLING', reason: null });
  });

  it('posts both when it came back before it was posted as paid', () => {
    const back = after(at('ASKING'), said('RETURNED', 'AC04'));
    expect(back).toMatchObject({ stage: 'SETTLING', cameBack: true });
    const returning = after(back, posted('paid'));
    expect([returning.stage, payoutStatus(returning)]).toEqual(['RETURNING', 'PAID']);
    expect(payoutStatus(after(returning, posted('returned')))).toBe('RETURNED');
  });

  it('comes back after it was paid', () => {
    expect(after(at('PAID'), said('RETURNED', 'AC04'), posted('returned'))).toMatchObject({
      stage: 'RETURNED',
      reason: 'AC04',
    });
  });

  it('fails without a trace at the bank when the ledger refuses the debit', () => {
    const news: PayoutNews = { kind: 'posting_refused', posting: 'debit', code: 'currency_mismatch' };
    expect(after(at('DEBITING'), news)).toMatchObject({ stage: 'NOT_DEBITED', reason: 'currency_mismatch' });
  });

  it.each<[PayoutState['stage'], PayoutNews]>([
    ['REVERSED', said('PAID')],
    ['PAID', said('REFUSED')],
    ['REVERSING', said('RETURNED')],
    ['WAITING', said('PAID')],
    ['SETTLING', { kind: 'posting_refused', posting: 'paid', code: 'account_not_found' }],
  ])('%s: what cannot be is for people', (stage, news) => {
    expect(evolvePayout(at(stage), news).kind).toBe('contradiction');
  });

  it('whatever is told, in whatever order and however often: out once, back at most once, and never both lost', () => {
    const anyNews = fc.oneof(
      fc.constantFrom<PayoutNews>(FOUND, SILENT, NOT_FOUND, { kind: 'account_missing' }),
      fc.constantFrom<PayoutNews>(...(['debit', 'paid', 'reversal', 'returned'] as const).map(posted)),
      fc.constantFrom<PayoutNews>(
        ...(['ACCEPTED', 'PAID', 'REFUSED', 'CANCELED', 'RETURNED'] as const).map((status) => said(status)),
      ),
    );
    fc.assert(
      fc.property(fc.array(anyNews, { maxLength: 30 }), (news) => {
        let state = BEGUN_PAYOUT;
        let balance = 0;
        for (const one of news) {
          // The ledger answers only what it was asked for.
          const step = nextPayoutStep(state);
          if (one.kind === 'posted' && !(step.kind === 'post' && step.posting === one.posting)) continue;
          const evolved = evolvePayout(state, one);
          if (evolved.kind === 'contradiction') return;
          if (evolved.kind === 'same') continue;
          if (one.kind === 'posted' && one.posting === 'debit') balance -= 1;
          if (one.kind === 'posted' && (one.posting === 'reversal' || one.posting === 'returned')) balance += 1;
          state = evolved.payout;
        }
        const out = payoutStatus(state) === 'PAID' || payoutStatus(state) === 'IN_TRANSIT';
        expect(balance).toBe(out ? -1 : 0);
        expect(hasEnded(state)).toBe(nextPayoutStep(state).kind === 'nothing');
      }),
    );
  });

  it.each<[PayoutState['stage'], PayoutOutcome | undefined, readonly PayoutPosting[], PayoutState['stage']]>([
    ['ASKING', undefined, [], 'ASKING'],
    ['SETTLING', undefined, ['paid'], 'PAID'],
    ['ASKING', 'PAID', ['paid'], 'PAID'],
    ['ASKING', 'NOT_PAID', ['reversal'], 'REVERSED'],
    ['CANCELING', 'NOT_PAID', ['reversal'], 'REVERSED'],
    // The reversal is posted first, since perhaps it was: then the money is taken again.
    ['REVERSING', 'PAID', ['reversal', 'redebit', 'paid'], 'PAID'],
    ['REVERSED', 'PAID', ['redebit', 'paid'], 'PAID'],
    ['REVERSED', 'NOT_PAID', [], 'REVERSED'],
    ['SETTLING', 'NOT_PAID', ['paid', 'returned'], 'RETURNED'],
    ['PAID', 'NOT_PAID', ['returned'], 'RETURNED'],
    ['PAID', 'PAID', [], 'PAID'],
  ])('%s, that people take up as %s, goes through %j to %s', (stage, outcome, postings, end) => {
    const decided = decidePayout(at(stage), outcome);
    if (decided === undefined) throw new Error('cannot be decided');
    const ended = postings.reduce((state, posting) => {
      expect(nextPayoutStep(state)).toEqual({ kind: 'post', posting });
      return after(state, posted(posting));
    }, decided);
    expect(ended.stage).toBe(end);
  });

  it('has no outcome that people could tell while it was never sent', () => {
    for (const stage of ['WAITING', 'DEBITING', 'NOT_DEBITED'] as const)
      expect([decidePayout(at(stage), 'PAID'), decidePayout(at(stage), 'NOT_PAID')]).toEqual([undefined, undefined]);
  });

  it('comes back also when the bank says so while people have it paid after all', () => {
    const back = after(at('UNDOING'), said('RETURNED', 'AC04'), posted('reversal'), posted('redebit'), posted('paid'));
    expect([back.stage, back.reason]).toEqual(['RETURNING', 'AC04']);
  });

  it('has a step and a status for each stage', () => {
    for (const stage of PAYOUT_STAGES)
      expect([nextPayoutStep(at(stage)).kind, payoutStatus(at(stage))]).not.toContain(undefined);
  });
});
