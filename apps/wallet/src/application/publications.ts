import { WALLET_EVENTS } from '@payflow/contracts';
import type { OutgoingEvent } from '@payflow/messaging';
import type { Context } from '@payflow/service';

import type { OwnedTransactionRow } from '../store/wallet-transactions.js';

/** A transaction as it stands now, told to the others. The aggregate is the transaction, the key whoever pays or is paid. */
export const transactionEvent = (row: OwnedTransactionRow, occurredAt: Date, context?: Context): OutgoingEvent => ({
  definition: WALLET_EVENTS.transaction,
  aggregateId: row.id,
  merchantId: row.merchantId,
  key: row.merchantId ?? row.fromOwnerId ?? row.toOwnerId ?? row.id,
  payload: {
    transactionId: row.id,
    type: row.type,
    status: row.status,
    reason: row.reason,
    fromWalletId: row.fromWalletId,
    toWalletId: row.toWalletId,
    fromUserId: row.fromOwnerId,
    toUserId: row.toOwnerId,
    merchantId: row.merchantId,
    paymentId: row.paymentId,
    amount: Number(row.amountMinor),
    currency: row.currency,
    ledgerTransactionId: row.ledgerTransactionId,
  },
  occurredAt,
  ...(context === undefined ? {} : { context }),
});
