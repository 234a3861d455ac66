import { Controller } from '@nestjs/common';
import { WALLET_MERCHANT_ID } from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { type Delivery, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { z } from 'zod';

import { RecoverMoney } from '../application/recover-money.js';

/** Names the consumer group and its inbox. Never renamed, or every event would be applied again. */
export const ADDITIONS_CONSUMER = 'wallet.additions';

/** Those that may end an addition. Each sale is told of by several events, and few sales are additions. */
export const ADDITIONS_TOPICS = ['payment.captured', 'payment.failed', 'payment.canceled', 'payment.expired'] as const;

const payloadSchema = z.looseObject({ metadata: z.record(z.string(), z.string()) });

/** Payments to PayFlow's wallet merchant that others have ended: the acquirer, a payer who came back, a timer of payment. */
@Controller()
export class AddedPaymentsController {
  constructor(private readonly recovery: RecoverMoney) {}

  /** News, not truth: the payment is asked, and its additions are looked at now instead of at their time. */
  @Subscription({ consumer: ADDITIONS_CONSUMER, kind: 'payment', ordered: false, topics: ADDITIONS_TOPICS })
  async look(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    const transactionIds = deliveries.flatMap(({ envelope }) =>
      envelope.merchantId === WALLET_MERCHANT_ID ? transactionOf(envelope.payload) : [],
    );
    if (transactionIds.length === 0) return;
    // Only what waits: whoever makes a payment is told by its answer.
    await tx.execute(
      `UPDATE wallet_timers t SET due_at = clock_timestamp(), lease_until = NULL, fence = t.fence + 1
         FROM wallet_additions a
        WHERE t.kind = 'add' AND t.subject_id = ANY ($1::text[]) AND a.transaction_id = t.subject_id AND a.stage = 'WAITING'`,
      [transactionIds],
    );
    tx.onCommit(() => {
      this.recovery.poke();
    });
  }
}

const transactionOf = (payload: unknown): readonly string[] => {
  const parsed = payloadSchema.safeParse(payload);
  const id = parsed.success ? parsed.data.metadata['walletTransactionId'] : undefined;
  return id !== undefined && isId('txn', id) ? [id] : [];
};
