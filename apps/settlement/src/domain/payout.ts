import type { BankPayout, PayoutStatus } from '@payflow/contracts';
import { unreachable } from '@payflow/kernel';

/**
 * The saga of a payout: what is to be done next, and what news make of it. Pure: a process that takes over after a crash goes
 * on from what was committed. Its timer is a column of its row. The money goes merchant payable → bank in transit → bank
 * cash; it comes back by a posting of its own.
 */

/** Where a payout stands. */
export const PAYOUT_STAGES = [
  /** Committed; the merchant's account is not known. */
  'WAITING',
  /** To be taken from the merchant's payable; perhaps it is. */
  'DEBITING',
  /** Taken; to be sent to the bank, which pays a reference once however often it comes. */
  'SENDING',
  /** The bank has it, or nobody knows: it is asked. */
  'ASKING',
  /** The bank cannot read it: it is forbidden there, so that it cannot be paid after all. */
  'CANCELING',
  /** The bank has paid; perhaps not posted yet. */
  'SETTLING',
  /** The bank will not pay; perhaps not given back yet. */
  'REVERSING',
  /** It came back after it was paid; perhaps not given back yet. */
  'RETURNING',
  /** The bank has paid after all, people say: what gives it back is posted first, since perhaps it is. */
  'UNDOING',
  /** Given back, though the bank has paid: to be taken from the merchant's payable again; perhaps it is. */
  'REDEBITING',
  'PAID',
  'NOT_DEBITED',
  'REVERSED',
  'RETURNED',
] as const;
export type PayoutStage = (typeof PAYOUT_STAGES)[number];

export interface PayoutState {
  readonly stage: PayoutStage;
  /** Why it waits, ended without the money going out, or came back. */
  readonly reason: string | null;
  /** The bank has said that it came back, before it was posted as paid. */
  readonly cameBack: boolean;
}

export const BEGUN_PAYOUT: PayoutState = { stage: 'WAITING', reason: null, cameBack: false };

export const ACCOUNT_MISSING = 'payout_account_missing';
/** He went into debt while it waited: what is left of it goes with the next run. */
export const MERCHANT_IN_DEBT = 'merchant_in_debt';
/** It never arrived at the bank, and never will. */
export const PAYOUT_NOT_SENT = 'payout_not_sent';
/** Nobody has contradicted anything: it has only taken long. */
export const PAYOUT_STUCK = 'Every look has gone by, and its end is still unknown. It is looked at further on.';
/** The bank did not say why. */
const NO_REASON = 'payout_refused';
/** People have asked the bank. */
const DECIDED_UNPAID = 'payout_decided_unpaid';

export type PayoutPosting = 'debit' | 'paid' | 'reversal' | 'returned' | 'redebit';

export type PayoutStep =
  | { readonly kind: 'find_account' }
  | { readonly kind: 'post'; readonly posting: PayoutPosting }
  | { readonly kind: 'pay' }
  | { readonly kind: 'inquire' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'nothing' };

const NOTHING: PayoutStep = { kind: 'nothing' };
const post = (posting: PayoutPosting): PayoutStep => ({ kind: 'post', posting });

const STEPS: Readonly<Record<PayoutStage, PayoutStep>> = {
  WAITING: { kind: 'find_account' },
  DEBITING: post('debit'),
  SENDING: { kind: 'pay' },
  ASKING: { kind: 'inquire' },
  CANCELING: { kind: 'cancel' },
  SETTLING: post('paid'),
  REVERSING: post('reversal'),
  RETURNING: post('returned'),
  UNDOING: post('reversal'),
  REDEBITING: post('redebit'),
  PAID: NOTHING,
  NOT_DEBITED: NOTHING,
  REVERSED: NOTHING,
  RETURNED: NOTHING,
};

/** What is to be done next. */
export const nextPayoutStep = ({ stage }: PayoutState): PayoutStep => STEPS[stage];

/** What was learned. */
export type PayoutNews =
  | { readonly kind: 'account_found' }
  | { readonly kind: 'account_missing' }
  /** There is an account, and the merchant owes more than he has. */
  | { readonly kind: 'merchant_in_debt' }
  | { readonly kind: 'posted'; readonly posting: PayoutPosting }
  | { readonly kind: 'posting_refused'; readonly posting: PayoutPosting; readonly code: string }
  | { readonly kind: 'bank_said'; readonly status: BankPayout['status']; readonly reason: string | null }
  /** No answer, or an error that says nothing about the effect. */
  | { readonly kind: 'bank_silent' }
  /** It has not seen the reference up to now. */
  | { readonly kind: 'bank_not_found' }
  /** It cannot read the request: it will never pay it. */
  | { readonly kind: 'bank_rejected'; readonly code: string };

export type Evolved =
  | { readonly kind: 'changed'; readonly payout: PayoutState }
  /** News of what is known already, or that say nothing. */
  | { readonly kind: 'same' }
  /** It cannot be: people must look. */
  | { readonly kind: 'contradiction'; readonly detail: string };

const SAME: Evolved = { kind: 'same' };

export const evolvePayout = (before: PayoutState, news: PayoutNews): Evolved => {
  const to: To = (stage, more = {}) => ({ kind: 'changed', payout: { ...before, ...more, stage } });
  switch (news.kind) {
    case 'account_found':
      return before.stage === 'WAITING' ? to('DEBITING', { reason: null }) : SAME;
    case 'account_missing':
      return before.stage === 'WAITING' && before.reason === null ? to('WAITING', { reason: ACCOUNT_MISSING }) : SAME;
    case 'merchant_in_debt':
      return before.stage === 'WAITING' ? to('NOT_DEBITED', { reason: MERCHANT_IN_DEBT }) : SAME;
    case 'posted':
      return afterPosting(before, news.posting, to);
    case 'posting_refused':
      // A reference that is taken was posted, with other words: the merchant was debited.
      if (news.posting === 'debit' && before.stage === 'DEBITING' && news.code !== 'reference_taken')
        return to('NOT_DEBITED', { reason: news.code });
      return { kind: 'contradiction', detail: `the ledger refuses the posting ${news.posting}: ${news.code}` };
    case 'bank_said':
      return afterBank(before, news.status, news.reason, to);
    case 'bank_silent':
      return before.stage === 'SENDING' ? to('ASKING') : SAME;
    case 'bank_not_found':
      // Sent again under the same reference: should the first still arrive, the bank pays one of them.
      return before.stage === 'ASKING' ? to('SENDING') : SAME;
    case 'bank_rejected':
      // Nothing is guessed even now: only a confirmed cancellation says that it will never be paid.
      return before.stage === 'SENDING' ? to('CANCELING', { reason: `payout_rejected_${news.code}` }) : SAME;
    default:
      return unreachable(news);
  }
};

type To = (stage: PayoutStage, more?: Partial<PayoutState>) => Evolved;

const afterPosting = ({ stage, cameBack }: PayoutState, posting: PayoutPosting, to: To): Evolved => {
  switch (posting) {
    case 'debit':
      return stage === 'DEBITING' ? to('SENDING') : SAME;
    case 'paid':
      if (stage !== 'SETTLING') return SAME;
      return cameBack ? to('RETURNING') : to('PAID');
    case 'reversal':
      if (stage === 'UNDOING') return to('REDEBITING');
      return stage === 'REVERSING' ? to('REVERSED') : SAME;
    case 'redebit':
      return stage === 'REDEBITING' ? to('SETTLING') : SAME;
    case 'returned':
      return stage === 'RETURNING' ? to('RETURNED') : SAME;
    default:
      return unreachable(posting);
  }
};

const UNDECIDED: readonly PayoutStage[] = ['SENDING', 'ASKING', 'CANCELING'];
const GIVEN_BACK: readonly PayoutStage[] = ['REVERSING', 'REVERSED'];
const PAID_AFTER_ALL: readonly PayoutStage[] = ['UNDOING', 'REDEBITING'];
const PAID_OUT: readonly PayoutStage[] = [...PAID_AFTER_ALL, 'SETTLING', 'PAID', 'RETURNING', 'RETURNED'];

const afterBank = (before: PayoutState, status: BankPayout['status'], reason: string | null, to: To): Evolved => {
  const { stage } = before;
  // A bank that speaks of a payout it was never sent contradicts our books.
  if (stage === 'WAITING' || stage === 'DEBITING' || stage === 'NOT_DEBITED') return contradiction(before, status);
  switch (status) {
    case 'ACCEPTED':
      return stage === 'SENDING' || stage === 'CANCELING' ? to('ASKING') : SAME;
    case 'PAID':
      if (UNDECIDED.includes(stage)) return to('SETTLING', { reason: null });
      return GIVEN_BACK.includes(stage) ? contradiction(before, status) : SAME;
    case 'REFUSED':
    case 'CANCELED':
      if (UNDECIDED.includes(stage)) return to('REVERSING', { reason: refusalReason(before, status, reason) });
      return PAID_OUT.includes(stage) ? contradiction(before, status) : SAME;
    case 'RETURNED':
      return afterReturn(before, reason, to);
    default:
      return unreachable(status);
  }
};

const refusalReason = (before: PayoutState, status: 'REFUSED' | 'CANCELED', reason: string | null): string =>
  status === 'REFUSED' ? (reason ?? NO_REASON) : (before.reason ?? PAYOUT_NOT_SENT);

/** The bank's word that it came back implies that it had paid: both are posted, so that the ledger tells what the bank's book tells. */
const afterReturn = (before: PayoutState, reason: string | null, to: To): Evolved => {
  const { stage, cameBack } = before;
  const why = reason ?? NO_REASON;
  if (UNDECIDED.includes(stage)) return to('SETTLING', { cameBack: true, reason: why });
  if (stage === 'SETTLING' || PAID_AFTER_ALL.includes(stage))
    return cameBack ? SAME : to(stage, { cameBack: true, reason: why });
  if (stage === 'PAID') return to('RETURNING', { cameBack: true, reason: why });
  return GIVEN_BACK.includes(stage) ? contradiction(before, 'RETURNED') : SAME;
};

const contradiction = ({ stage }: PayoutState, status: string): Evolved => ({
  kind: 'contradiction',
  detail: `the bank says ${status} of a payout that is ${stage}`,
});

/** What people say became of it, when they have asked the bank. */
export type PayoutOutcome = 'PAID' | 'NOT_PAID';

/**
 * A payout that bank or ledger have contradicted goes on from here, as people have found out. Undefined: of what was never
 * sent there is nothing to say; the books are corrected by reconciliation.
 *
 * @param outcome undefined: it goes on as it stands
 */
export const decidePayout = (before: PayoutState, outcome: PayoutOutcome | undefined): PayoutState | undefined => {
  const { stage } = before;
  if (outcome === undefined) return before;
  if (stage === 'WAITING' || stage === 'DEBITING' || stage === 'NOT_DEBITED') return undefined;
  if (outcome === 'PAID') {
    if (UNDECIDED.includes(stage)) return { ...before, stage: 'SETTLING', reason: null };
    if (stage === 'REVERSING') return { ...before, stage: 'UNDOING', reason: null };
    if (stage === 'REVERSED') return { ...before, stage: 'REDEBITING', reason: null };
    return before;
  }
  if (UNDECIDED.includes(stage)) return { ...before, stage: 'REVERSING', reason: DECIDED_UNPAID };
  if (stage === 'SETTLING') return { ...before, cameBack: true, reason: DECIDED_UNPAID };
  if (stage === 'PAID') return { ...before, stage: 'RETURNING', cameBack: true, reason: DECIDED_UNPAID };
  return before;
};

/** What the merchant is told. */
export const payoutStatus = ({ stage }: PayoutState): PayoutStatus => {
  switch (stage) {
    case 'WAITING':
    case 'DEBITING':
      return 'PENDING';
    case 'SENDING':
    case 'ASKING':
    case 'CANCELING':
    case 'SETTLING':
    case 'REVERSING':
    case 'UNDOING':
    case 'REDEBITING':
      return 'IN_TRANSIT';
    case 'PAID':
    case 'RETURNING':
      return 'PAID';
    case 'NOT_DEBITED':
    case 'REVERSED':
      return 'FAILED';
    case 'RETURNED':
      return 'RETURNED';
    default:
      return unreachable(stage);
  }
};

/** Whether there is nothing left to do, unless the bank tells of a return. */
export const hasEnded = (payout: PayoutState): boolean => nextPayoutStep(payout).kind === 'nothing';

/** Whether it waits for somebody outside: to ask again at once would tell nothing new. */
export const isToWaitFor = (news: PayoutNews): boolean =>
  news.kind === 'account_missing' ||
  news.kind === 'bank_silent' ||
  news.kind === 'bank_not_found' ||
  (news.kind === 'bank_said' && news.status === 'ACCEPTED');
