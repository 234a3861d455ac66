import { isId } from '@payflow/kernel';
import { Problem } from '@payflow/service';

/** What cannot be an id of ours names nothing, like an id nobody was given: the documents print UUIDs here. */
export const walletIdOf = (text: string): string => {
  if (!isId('wal', text)) throw new Problem('wallet_not_found');
  return text;
};

export const holdIdOf = (text: string): string => {
  if (!isId('hld', text)) throw new Problem('hold_not_found');
  return text;
};

export const transactionIdOf = (text: string): string => {
  if (!isId('txn', text)) throw new Problem('wallet_transaction_not_found');
  return text;
};

export const approvalIdOf = (text: string): string => {
  if (!isId('att', text)) throw new Problem('approval_not_found');
  return text;
};
