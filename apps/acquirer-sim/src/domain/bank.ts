import type { BankAccountBehaviour, BankMode, BankOperation, BankPayout } from '@payflow/contracts';
import { unreachable } from '@payflow/kernel';

import type { Fault } from './treatment.js';

/** The banks that are simulated. */
export const BANKS = ['sim'] as const;
export type BankName = (typeof BANKS)[number];

export const isBank = (name: string): name is BankName => (BANKS as readonly string[]).includes(name);

export type PayoutStatus = BankPayout['status'];

/** What the bank says, and why. */
export interface PayoutState {
  readonly status: PayoutStatus;
  /** ISO 20022 external reason code. */
  readonly reason: string | null;
}

/** How a payout that arrives runs, from its first answer to its last. */
export type PayoutCourse = 'paid' | 'accepted_then_paid' | 'accepted_then_refused' | 'refused' | 'paid_then_returned';

/** How a payout begins, and what comes of it by itself. */
export interface PayoutOpening {
  readonly now: PayoutState;
  readonly later?: PayoutState;
}

const ACCOUNT_CLOSED = 'AC04';

/** @param reason of a refusal or a return */
export const openPayout = (course: PayoutCourse, reason: string | null): PayoutOpening => {
  const paid: PayoutState = { status: 'PAID', reason: null };
  const accepted: PayoutState = { status: 'ACCEPTED', reason: null };
  const refused: PayoutState = { status: 'REFUSED', reason: reason ?? ACCOUNT_CLOSED };
  switch (course) {
    case 'paid':
      return { now: paid };
    case 'accepted_then_paid':
      return { now: accepted, later: paid };
    case 'accepted_then_refused':
      return { now: accepted, later: refused };
    case 'refused':
      return { now: refused };
    case 'paid_then_returned':
      return { now: paid, later: { status: 'RETURNED', reason: reason ?? ACCOUNT_CLOSED } };
    default:
      return unreachable(course);
  }
};

const FOLLOWERS: Readonly<Record<PayoutStatus, readonly PayoutStatus[]>> = {
  ACCEPTED: ['PAID', 'REFUSED', 'CANCELED'],
  PAID: ['RETURNED'],
  REFUSED: [],
  CANCELED: [],
  RETURNED: [],
};

/** Money that has left is not taken back, it is returned; what has ended has ended. */
export const mayBecome = (from: PayoutStatus, to: PayoutStatus): boolean => FOLLOWERS[from].includes(to);

interface Effect {
  readonly fault?: Fault;
  readonly course?: PayoutCourse;
}

const MODES: Readonly<Record<BankMode, Effect>> = {
  normal: {},
  slow: {},
  timeout_after_effect: { fault: 'silence_after_effect' },
  timeout_without_effect: { fault: 'silence_before_effect' },
  error_before_effect: { fault: 'error_before_effect' },
  error_after_effect: { fault: 'error_after_effect' },
  unavailable: { fault: 'unavailable' },
  accepted_then_paid: { course: 'accepted_then_paid' },
  accepted_then_refused: { course: 'accepted_then_refused' },
  refused: { course: 'refused' },
  paid_then_returned: { course: 'paid_then_returned' },
};

const ACCOUNTS: Readonly<Record<BankAccountBehaviour, Effect>> = {
  paid: {},
  slow: {},
  accepted_then_paid: { course: 'accepted_then_paid' },
  accepted_then_refused: { course: 'accepted_then_refused' },
  refused: { course: 'refused' },
  paid_then_returned: { course: 'paid_then_returned' },
  timeout_after_effect: { fault: 'silence_after_effect' },
  timeout_without_effect: { fault: 'silence_before_effect' },
  error_before_effect: { fault: 'error_before_effect' },
  error_after_effect: { fault: 'error_after_effect' },
};

export const faultOfBankMode = (mode: BankMode): Fault | undefined => MODES[mode].fault;

export const faultOfAccount = (behaviour: BankAccountBehaviour | null): Fault | undefined =>
  behaviour === null ? undefined : ACCOUNTS[behaviour].fault;

/** The mode's course where it has one, else the account's. */
export const payoutCourseOf = (mode: BankMode, behaviour: BankAccountBehaviour | null): PayoutCourse =>
  MODES[mode].course ?? (behaviour === null ? 'paid' : (ACCOUNTS[behaviour].course ?? 'paid'));

/** Of modes without a filter for operations: those that hold for questions too, because the bank is slow or away as a whole. */
export const BANK_MODES_OF_QUESTIONS: readonly BankMode[] = ['slow', 'unavailable'];

export const isQuestion = (operation: BankOperation): boolean => operation === 'inquiry' || operation === 'feed';
