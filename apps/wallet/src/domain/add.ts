import { unreachable } from '@payflow/kernel';

/**
 * The saga of money that is added from a card or a bank: a payment to PayFlow's own wallet merchant, then the posting that
 * takes it from there to the wallet. Pure, as that of a withdrawal.
 */
export const ADD_STAGES = [
  /** Committed; perhaps there is a payment already. */
  'PAYING',
  /** There is a payment whose end is not known: the acquirer is silent, or the payer has to do something. */
  'WAITING',
  /** Captured; perhaps not in the wallet yet. */
  'POSTING',
  /** The posting is impossible: the payer gets it back. */
  'REFUNDING',
  'ADDED',
  'NOT_PAID',
  'REFUNDED',
] as const;
export type AddStage = (typeof ADD_STAGES)[number];

export interface Addition {
  readonly stage: AddStage;
  readonly paymentId: string | null;
  readonly reason: string | null;
}

export const BEGUN_ADDITION: Addition = { stage: 'PAYING', paymentId: null, reason: null };

export type AddStep =
  /** First found by our reference, where somebody may have made it before. */
  | { readonly kind: 'pay'; readonly perhapsPaidBefore: boolean }
  | { readonly kind: 'look'; readonly paymentId: string }
  | { readonly kind: 'post' }
  | { readonly kind: 'refund'; readonly paymentId: string }
  | { readonly kind: 'nothing' };

const FIND: AddStep = { kind: 'pay', perhapsPaidBefore: true };

export const nextAddStep = ({ stage, paymentId }: Addition, perhapsPaidBefore: boolean): AddStep => {
  switch (stage) {
    case 'PAYING':
      return { kind: 'pay', perhapsPaidBefore };
    case 'WAITING':
      return paymentId === null ? FIND : { kind: 'look', paymentId };
    case 'POSTING':
      return { kind: 'post' };
    case 'REFUNDING':
      return paymentId === null ? FIND : { kind: 'refund', paymentId };
    case 'ADDED':
    case 'NOT_PAID':
    case 'REFUNDED':
      return { kind: 'nothing' };
    default:
      return unreachable(stage);
  }
};

/** A payment, as far as an addition depends on it. */
export interface SeenPayment {
  readonly paymentId: string;
  /** `taken`: exactly the amount, and nothing of it went back. `taken_otherwise`: another amount, or part of it went back. */
  readonly standing: 'open' | 'taken' | 'taken_otherwise' | 'given_back' | 'failed';
  /** Of one that failed. */
  readonly reason: string | null;
}

export type AddNews =
  | { readonly kind: 'payment'; readonly payment: SeenPayment }
  /** The payment service will not make it: nothing was taken. */
  | { readonly kind: 'payment_refused'; readonly code: string }
  | { readonly kind: 'payment_silent' }
  /** It was never made, and is not made any more: the payer no longer waits for it. */
  | { readonly kind: 'payment_given_up' }
  | { readonly kind: 'posted' }
  | { readonly kind: 'posting_refused'; readonly code: string }
  | { readonly kind: 'refunded' };

export type AddEvolved = { readonly kind: 'changed'; readonly addition: Addition } | { readonly kind: 'same' };

export const PAYMENT_NOT_MADE = 'payment_not_made';

export const evolveAddition = (before: Addition, news: AddNews): AddEvolved => {
  const to = (stage: AddStage, more: Partial<Addition> = {}): AddEvolved => ({
    kind: 'changed',
    addition: { ...before, ...more, stage },
  });
  const same: AddEvolved = { kind: 'same' };
  switch (news.kind) {
    case 'payment':
      return before.stage === 'PAYING' || before.stage === 'WAITING' ? afterPayment(before, news.payment, to) : same;
    case 'payment_refused':
      return before.stage === 'PAYING' ? to('NOT_PAID', { reason: news.code }) : same;
    case 'payment_given_up':
      return before.stage === 'PAYING' ? to('NOT_PAID', { reason: PAYMENT_NOT_MADE }) : same;
    case 'payment_silent':
      return same;
    case 'posted':
      return before.stage === 'POSTING' ? to('ADDED') : same;
    case 'posting_refused':
      return before.stage === 'POSTING' ? to('REFUNDING', { reason: news.code }) : same;
    case 'refunded':
      return before.stage === 'REFUNDING' ? to('REFUNDED') : same;
    default:
      return unreachable(news);
  }
};

type To = (stage: AddStage, more?: Partial<Addition>) => AddEvolved;

const afterPayment = (before: Addition, { paymentId, standing, reason }: SeenPayment, to: To): AddEvolved => {
  switch (standing) {
    case 'open':
      return before.stage === 'WAITING' ? { kind: 'same' } : to('WAITING', { paymentId });
    case 'taken':
      return to('POSTING', { paymentId });
    case 'taken_otherwise':
      return to('REFUNDING', { paymentId, reason: 'amount_mismatch' });
    case 'given_back':
      return to('REFUNDED', { paymentId, reason: 'payment_refunded' });
    case 'failed':
      return to('NOT_PAID', { paymentId, reason: reason ?? 'payment_failed' });
    default:
      return unreachable(standing);
  }
};

export const addStatus = ({ stage }: Addition): 'PENDING' | 'SUCCESS' | 'FAILED' => {
  switch (stage) {
    case 'ADDED':
      return 'SUCCESS';
    case 'NOT_PAID':
    case 'REFUNDED':
      return 'FAILED';
    default:
      return 'PENDING';
  }
};
