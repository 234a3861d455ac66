import type { Tx } from '@payflow/postgres';

import type { BankName, PayoutState } from '../domain/bank.js';
import { insertBookLine, insertPayoutState } from '../store/bank-payouts.js';

/** Writes how a payout stands from now on, and what of it belongs into the book. The caller holds the lock of the bank. */
export const enterPayoutState = async (
  tx: Tx,
  bank: BankName,
  reference: string,
  state: PayoutState,
  at: Date,
): Promise<void> => {
  await insertPayoutState(tx, bank, reference, state, at);
  if (state.status === 'PAID') await insertBookLine(tx, { bank, reference }, 'CREDIT', at);
  if (state.status === 'RETURNED') await insertBookLine(tx, { bank, reference }, 'RETURN', at);
};
