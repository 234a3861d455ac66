import type { BankPayout } from '@payflow/contracts';
import { unreachable } from '@payflow/kernel';

/**
 * The saga of a withdrawal: what is to be done next, and what news make of it. Pure: a process that takes over after a crash
 * goes on from what was committed. Its timer is a row. The money goes wallet → bank in transit → bank cash; it comes back by
 * a posting of its own.
 */

/** Where a withdrawal stands. Those in capitals with nothing to do next have ended. */
export const WITHDRAW_STAGES = [
  /** Committed; perhaps not taken from the wallet yet. */
  'DEBITING',
  /** Taken from the wallet; perhaps sent to the bank. */
  'SENDING',
  /** The bank has it, or nobody knows: it is asked. */
  'ASKING',
  /** The bank had not seen it: it is forbidden there, so that it cannot come late. */
  'CANCELING',
  /** The bank has paid; perhaps not posted yet. */
  'SETTLING',
  /** The bank will not pay; perhaps not given back yet. */
  'REVERSING',
  /** It came back after it was paid; perhaps not given back yet. */
  'RETURNING',
  'NOT_DEBITED',
  'PAID',
  'REVERSED',
  'RETURNED',
] as const;
export type WithdrawStage = (typeof WITHDRAW_STAGES)[number];

export interface Withdrawal {
  readonly stage: WithdrawStage;
  /** Why it ended without the money going out, or came back. */
  readonly reason: string | null;
  /** The bank has said that it came back, before it was posted as paid. */
  readonly cameBack: boolean;
}

export const BEGUN_WITHDRAWAL: Withdrawal = { stage: 'DEBITING', reason: null, cameBack: false };

export const PAYOUT_RETURNED = 'payout_returned';
/** It never arrived at the bank, and never will. */
export const PAYOUT_NOT_SENT = 'payout_not_sent';
/** The bank refused it, with its reason where it gave one. */
export const payoutRefused = (reason: string | null): string =>
  reason === null ? 'payout_refused' : `payout_refused_${reason}`;

export type WithdrawPosting = 'debit' | 'paid' | 'reversal' | 'returned';

export type WithdrawStep =
  | { readonly kind: 'post'; readonly posting: WithdrawPosting }
  | { readonly kind: 'pay' }
  | { readonly kind: 'inquire' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'nothing' };

/**
 * What is to be done next.
 *
 * @param sentByOther somebody before may have sent it and died: the bank is asked, not paid through a second time by chance
 */
export const nextWithdrawStep = ({ stage }: Withdrawal, sentByOther: boolean): WithdrawStep => {
  switch (stage) {
    case 'DEBITING':
      return { kind: 'post', posting: 'debit' };
    case 'SENDING':
      return sentByOther ? { kind: 'inquire' } : { kind: 'pay' };
    case 'ASKING':
      return { kind: 'inquire' };
    case 'CANCELING':
      return { kind: 'cancel' };
    case 'SETTLING':
      return { kind: 'post', posting: 'paid' };
    case 'REVERSING':
      return { kind: 'post', posting: 'reversal' };
    case 'RETURNING':
      return { kind: 'post', posting: 'returned' };
    case 'NOT_DEBITED':
    case 'PAID':
    case 'REVERSED':
    case 'RETURNED':
      return { kind: 'nothing' };
    default:
      return unreachable(stage);
  }
};

/** What was learned. */
export type WithdrawNews =
  | { readonly kind: 'posted'; readonly posting: WithdrawPosting }
  | { readonly kind: 'posting_refused'; readonly posting: WithdrawPosting; readonly code: string }
  | { readonly kind: 'bank_said'; readonly status: BankPayout['status']; readonly reason: string | null }
  /** No answer, or an error that says nothing about the effect. */
  | { readonly kind: 'bank_silent' }
  /** It has not seen the reference up to now. */
  | { readonly kind: 'bank_not_found' }
  /** It cannot read the request: it will never pay it. */
  | { readonly kind: 'bank_rejected'; readonly code: string };

export type Evolved =
  | { readonly kind: 'changed'; readonly withdrawal: Withdrawal }
  /** News of what is known already, or that say nothing. */
  | { readonly kind: 'same' }
  /** It cannot be: people must look. */
  | { readonly kind: 'contradiction'; readonly detail: string };

const SAME: Evolved = { kind: 'same' };

export const evolveWithdrawal = (before: Withdrawal, news: WithdrawNews): Evolved => {
  const to = (stage: WithdrawStage, more: Partial<Withdrawal> = {}): Evolved => ({
    kind: 'changed',
    withdrawal: { ...before, ...more, stage },
  });
  switch (news.kind) {
    case 'posted':
      return afterPosting(before, news.posting, to);
    case 'posting_refused':
      if (news.posting === 'debit' && before.stage === 'DEBITING') return to('NOT_DEBITED', { reason: news.code });
      return { kind: 'contradiction', detail: `the ledger refuses the posting ${news.posting}: ${news.code}` };
    case 'bank_said':
      return afterBank(before, news.status, news.reason, to);
    case 'bank_silent':
      return before.stage === 'SENDING' ? to('ASKING') : SAME;
    case 'bank_not_found':
      return before.stage === 'SENDING' || before.stage === 'ASKING' ? to('CANCELING') : SAME;
    case 'bank_rejected':
      // Nothing is guessed even now: only a confirmed cancellation says that it will never be paid.
      return before.stage === 'SENDING' ? to('CANCELING', { reason: `payout_rejected_${news.code}` }) : SAME;
    default:
      return unreachable(news);
  }
};

type To = (stage: WithdrawStage, more?: Partial<Withdrawal>) => Evolved;

const afterPosting = ({ stage, cameBack }: Withdrawal, posting: WithdrawPosting, to: To): Evolved => {
  switch (posting) {
    case 'debit':
      return stage === 'DEBITING' ? to('SENDING') : SAME;
    case 'paid':
      if (stage !== 'SETTLING') return SAME;
      return cameBack ? to('RETURNING', { reason: PAYOUT_RETURNED }) : to('PAID');
    case 'reversal':
      return stage === 'REVERSING' ? to('REVERSED') : SAME;
    case 'returned':
      return stage === 'RETURNING' ? to('RETURNED') : SAME;
    default:
      return unreachable(posting);
  }
};

const isUndecided = (stage: WithdrawStage): boolean =>
  stage === 'SENDING' || stage === 'ASKING' || stage === 'CANCELING';

const afterBank = (before: Withdrawal, status: BankPayout['status'], reason: string | null, to: To): Evolved => {
  const { stage } = before;
  switch (status) {
    case 'ACCEPTED':
      return stage === 'SENDING' || stage === 'CANCELING' ? to('ASKING') : SAME;
    case 'PAID':
      if (isUndecided(stage)) return to('SETTLING');
      return isGivenBack(stage) ? contradiction(before, status) : SAME;
    case 'REFUSED':
      if (isUndecided(stage)) return to('REVERSING', { reason: payoutRefused(reason) });
      return stage === 'SETTLING' || stage === 'PAID' ? contradiction(before, status) : SAME;
    case 'CANCELED':
      if (isUndecided(stage)) return to('REVERSING', { reason: before.reason ?? PAYOUT_NOT_SENT });
      return stage === 'SETTLING' || stage === 'PAID' ? contradiction(before, status) : SAME;
    case 'RETURNED':
      return afterReturn(before, to);
    default:
      return unreachable(status);
  }
};

/** The bank's word that it came back implies that it had paid: both are posted, so that the ledger tells what the bank's book tells. */
const afterReturn = (before: Withdrawal, to: To): Evolved => {
  const { stage, cameBack } = before;
  if (isUndecided(stage)) return to('SETTLING', { cameBack: true });
  if (stage === 'SETTLING') return cameBack ? SAME : to('SETTLING', { cameBack: true });
  if (stage === 'PAID') return to('RETURNING', { reason: PAYOUT_RETURNED });
  return stage === 'REVERSING' || stage === 'REVERSED' ? contradiction(before, 'RETURNED') : SAME;
};

const isGivenBack = (stage: WithdrawStage): boolean => stage === 'REVERSING' || stage === 'REVERSED';

const contradiction = ({ stage }: Withdrawal, status: string): Evolved => ({
  kind: 'contradiction',
  detail: `the bank says ${status} of a withdrawal that is ${stage}`,
});

/** How its transaction stands for its owner. */
export const withdrawStatus = ({ stage }: Withdrawal): 'PENDING' | 'SUCCESS' | 'FAILED' => {
  switch (stage) {
    case 'PAID':
      return 'SUCCESS';
    case 'NOT_DEBITED':
    case 'REVERSED':
    case 'RETURNED':
      return 'FAILED';
    default:
      return 'PENDING';
  }
};

/** Whether nobody needs to look at it again, unless the bank tells of a return. */
export const hasEnded = (withdrawal: Withdrawal): boolean => withdrawStatus(withdrawal) !== 'PENDING';
