import { z } from 'zod';

import { WALLET_TRANSACTION_STATUSES, WALLET_TRANSACTION_TYPES } from '../http/wallet-words.js';
import type { EventDefinition } from './envelope.js';

/** Events of wallets. The aggregate is the transaction: one event when it begins to wait, one when it ends. */
export const WALLET_EVENTS = {
  transaction: {
    topic: 'wallet.transaction',
    type: 'wallet.transaction.v1',
    summary: 'A wallet transaction was made, is pending, or has ended.',
    payload: z.object({
      transactionId: z.string(),
      type: z.enum(WALLET_TRANSACTION_TYPES),
      status: z.enum(WALLET_TRANSACTION_STATUSES),
      reason: z.string().nullable().meta({ description: 'Why it FAILED.' }),
      fromWalletId: z.string().nullable(),
      toWalletId: z.string().nullable(),
      fromUserId: z.string().nullable(),
      toUserId: z.string().nullable(),
      merchantId: z.string().nullable(),
      paymentId: z.string().nullable(),
      amount: z.int().meta({ description: 'Minor units.' }),
      currency: z.string(),
      ledgerTransactionId: z.string().nullable(),
    }),
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;
