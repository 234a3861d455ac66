import { PAYOUT_EVENTS } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import type { OutgoingEvent } from '@payflow/messaging';

import type { PayoutRow } from '../store/payouts.js';

/** A payout as it stands now, told to the others. */
export const payoutEvent = (name: keyof typeof PAYOUT_EVENTS, row: PayoutRow): OutgoingEvent => ({
  definition: PAYOUT_EVENTS[name],
  aggregateId: row.id,
  merchantId: row.merchantId,
  key: row.merchantId,
  occurredAt: new Date(),
  payload: {
    payoutId: row.id,
    merchantId: row.merchantId,
    currency: row.currency,
    amount: minorToJson(row.amountMinor),
    status: row.status,
    settlementIds: [...row.settlementIds],
    bank: row.bank,
    bankReference: row.bankReference,
    reason: row.reason,
  },
});
