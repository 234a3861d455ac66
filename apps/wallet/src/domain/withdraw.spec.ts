import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  BEGUN_WITHDRAWAL,
  evolveWithdrawal,
  hasEnded,
  nextWithdrawStep,
  type Withdrawal,
  type WithdrawNews,
  type WithdrawPosting,
  withdrawStatus,
} from './withdraw.js';

const after = (...news: readonly WithdrawNews[]): Withdrawal =>
  news.reduce((withdrawal, item) => {
    const evolved = evolveWithdrawal(withdrawal, item);
    if (evolved.kind === 'contradiction') throw new Error(evolved.detail);
    return evolved.kind === 'changed' ? evolved.withdrawal : withdrawal;
  }, BEGUN_WITHDRAWAL);

const posted = (posting: WithdrawPosting): WithdrawNews => ({ kind: 'posted', posting });
const said = (
  status: 'ACCEPTED' | 'PAID' | 'REFUSED' | 'CANCELED' | 'RETURNED',
  reason: string | null = null,
): WithdrawNews => ({ kind: 'bank_said', status, reason });
const silent: WithdrawNews = { kind: 'bank_silent' };
const notFound: WithdrawNews = { kind: 'bank_not_found' };

describe('a withdrawal', () => {
  it('is taken from the wallet, sent, paid and posted', () => {
    expect(nextWithdrawStep(BEGUN_WITHDRAWAL, false)).toEqual({ kind: 'post', posting: 'debit' });
    expect(nextWithdrawStep(after(posted('debit')), false)).toEqual({ kind: 'pay' });
    expect(nextWithdrawStep(after(posted('debit'), said('PAID')), false)).toEqual({ kind: 'post', posting: 'paid' });
    expect(withdrawStatus(after(posted('debit'), said('PAID'), posted('paid')))).toBe('SUCCESS');
  });

  it('that the wallet cannot pay has moved nothing', () => {
    const end = after({ kind: 'posting_refused', posting: 'debit', code: 'insufficient_funds' });
    expect(end).toMatchObject({ stage: 'NOT_DEBITED', reason: 'insufficient_funds' });
  });

  it('that the bank refuses is given back, with its reason', () => {
    const refused = after(posted('debit'), said('REFUSED', 'AC04'));
    expect(nextWithdrawStep(refused, false)).toEqual({ kind: 'post', posting: 'reversal' });
    expect(refused.reason).toBe('payout_refused_AC04');
    expect(withdrawStatus(after(posted('debit'), said('REFUSED'), posted('reversal')))).toBe('FAILED');
  });

  it('is asked about after silence, never sent again, never given back by a guess', () => {
    const unknown = after(posted('debit'), silent);
    expect(nextWithdrawStep(unknown, false)).toEqual({ kind: 'inquire' });
    expect(after(posted('debit'), silent, silent)).toEqual(unknown);
  });

  it('is asked about first by whoever takes it over', () => {
    expect(nextWithdrawStep(after(posted('debit')), true)).toEqual({ kind: 'inquire' });
  });

  it('that the bank has not seen is forbidden there before the money goes back', () => {
    const unseen = after(posted('debit'), silent, notFound);
    expect(nextWithdrawStep(unseen, false)).toEqual({ kind: 'cancel' });
    expect(after(posted('debit'), silent, notFound, said('CANCELED'))).toMatchObject({
      stage: 'REVERSING',
      reason: 'payout_not_sent',
    });
    // It came in between the question and the cancellation.
    expect(after(posted('debit'), silent, notFound, said('PAID')).stage).toBe('SETTLING');
    expect(after(posted('debit'), silent, notFound, said('ACCEPTED')).stage).toBe('ASKING');
  });

  it('that comes back after it was paid goes back to the wallet, also after SUCCESS', () => {
    const paid = after(posted('debit'), said('PAID'), posted('paid'));
    const returned = after(posted('debit'), said('PAID'), posted('paid'), said('RETURNED', 'AC04'));
    expect(withdrawStatus(paid)).toBe('SUCCESS');
    expect(nextWithdrawStep(returned, true)).toEqual({ kind: 'post', posting: 'returned' });
    const end = after(posted('debit'), said('PAID'), posted('paid'), said('RETURNED'), posted('returned'));
    expect([withdrawStatus(end), end.reason]).toEqual(['FAILED', 'payout_returned']);
  });

  it('that was paid and came back before anybody asked is posted as both', () => {
    const seen = after(posted('debit'), silent, said('RETURNED'));
    expect(nextWithdrawStep(seen, true)).toEqual({ kind: 'post', posting: 'paid' });
    expect(nextWithdrawStep(after(posted('debit'), said('RETURNED'), posted('paid')), true)).toEqual({
      kind: 'post',
      posting: 'returned',
    });
  });

  it.each<[string, readonly WithdrawNews[], WithdrawNews]>([
    ['paid after it was given back', [posted('debit'), said('REFUSED'), posted('reversal')], said('PAID')],
    ['refused after it was paid', [posted('debit'), said('PAID'), posted('paid')], said('REFUSED')],
    ['canceled after it was paid', [posted('debit'), said('PAID')], said('CANCELED')],
    ['returned although refused', [posted('debit'), said('REFUSED')], said('RETURNED')],
  ])('is for people when the bank contradicts itself: %s', (_, before, news) => {
    expect(evolveWithdrawal(after(...before), news).kind).toBe('contradiction');
  });

  it('changes nothing by news that are known', () => {
    const paid = after(posted('debit'), said('PAID'), posted('paid'));
    for (const news of [said('PAID'), said('ACCEPTED'), silent, notFound, posted('debit'), posted('paid')]) {
      expect(evolveWithdrawal(paid, news)).toEqual({ kind: 'same' });
    }
  });
});

/** A bank that keeps its own book, answers or not, and a process that dies anywhere. */
describe('whatever the bank does, and wherever processes die', () => {
  const events = fc.array(
    fc.record({
      dies: fc.boolean(),
      answers: fc.boolean(),
      arrives: fc.boolean(),
      verdict: fc.constantFrom('PAID', 'REFUSED', 'ACCEPTED' as const),
      later: fc.constantFrom('PAID', 'REFUSED', 'RETURNED', 'nothing' as const),
    }),
    { minLength: 1, maxLength: 30 },
  );

  it('the wallet has paid exactly what the bank has paid, when it has ended', () => {
    fc.assert(
      fc.property(events, fc.boolean(), (moves, enough) => {
        let bank: 'PAID' | 'REFUSED' | 'ACCEPTED' | 'CANCELED' | 'RETURNED' | undefined;
        const ledger = new Set<WithdrawPosting>();
        let withdrawal = BEGUN_WITHDRAWAL;
        let first = true;
        const learn = (news: WithdrawNews): void => {
          const evolved = evolveWithdrawal(withdrawal, news);
          expect(evolved.kind).not.toBe('contradiction');
          if (evolved.kind === 'changed') withdrawal = evolved.withdrawal;
        };
        const quiet = { dies: false, answers: true, arrives: true, verdict: 'PAID', later: 'nothing' } as const;
        // In the end everything answers; what is accepted is decided.
        for (const move of [...moves, ...Array.from({ length: 12 }, () => quiet)]) {
          if (bank === 'ACCEPTED' && move.later !== 'RETURNED') bank = move.later === 'REFUSED' ? 'REFUSED' : 'PAID';
          else if (bank === 'PAID' && move.later === 'RETURNED') bank = 'RETURNED';
          const step = nextWithdrawStep(withdrawal, !first);
          if (step.kind === 'nothing') {
            // The change feed.
            if (bank !== undefined && withdrawal.stage !== 'NOT_DEBITED') learn(said(bank));
            continue;
          }
          first = move.dies;
          let news: WithdrawNews;
          if (step.kind === 'post') {
            const refused = step.posting === 'debit' && !enough;
            if (!refused) ledger.add(step.posting);
            news = refused
              ? { kind: 'posting_refused', posting: 'debit', code: 'insufficient_funds' }
              : posted(step.posting);
          } else {
            if (step.kind === 'pay' && move.arrives) bank ??= move.verdict;
            if (step.kind === 'cancel' && move.arrives)
              bank = bank === undefined || bank === 'ACCEPTED' ? 'CANCELED' : bank;
            news = !move.answers || !move.arrives ? silent : bank === undefined ? notFound : said(bank);
          }
          first = move.dies ? false : first;
          if (move.dies) continue;
          learn(news);
        }
        expect(hasEnded(withdrawal)).toBe(true);
        const out = ledger.has('debit') && !ledger.has('reversal') && !ledger.has('returned');
        expect(out).toBe(bank === 'PAID');
        expect(ledger.has('paid')).toBe(bank === 'PAID' || bank === 'RETURNED');
        expect(withdrawStatus(withdrawal)).toBe(bank === 'PAID' ? 'SUCCESS' : 'FAILED');
        expect(ledger.has('reversal') && ledger.has('paid')).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
