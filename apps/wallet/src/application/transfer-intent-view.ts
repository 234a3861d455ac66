import type { TransferIntentView } from '@payflow/contracts';
import { currencyOf, majorFromMinor } from '@payflow/kernel';

import type { TransferIntentRow } from '../store/transfer-intents.js';

/** In the words of the requirement documents. What is on its way is still Pending. */
const STATUS_OF = { PENDING: 'Pending', SUCCESS: 'Completed', FAILED: 'Failed' } as const;

export const transferIntentView = (row: TransferIntentRow): TransferIntentView => {
  const currency = currencyOf(row.currency);
  if (currency === undefined) throw new Error(`invariant: ${row.id} has a currency`);
  return {
    id: row.id,
    fromUser: row.fromUser,
    toUser: row.toUser,
    amount: majorFromMinor({ amountMinor: row.amountMinor, currency }),
    currency,
    status: STATUS_OF[row.transactionStatus ?? 'PENDING'],
    reason: row.reason,
    timestamp: row.createdAt.toISOString(),
  };
};
