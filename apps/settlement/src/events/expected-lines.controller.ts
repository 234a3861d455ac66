import { Controller } from '@nestjs/common';
import { type Envelope, PAYMENT_EVENTS, PAYOUT_EVENTS, WALLET_ACQUIRER, WALLET_EVENTS } from '@payflow/contracts';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';
import type { z } from 'zod';

import { type Expectation, expectationOf, type PaymentFact } from '../domain/expected-line.js';
import type { SettlementConfig } from '../settlement.config.js';
import { insertExpectedLines } from '../store/expected-lines.js';

/** They name the consumer groups and their inboxes. Never renamed, or every event would be applied again. */
export const EXPECTED_CONSUMER = 'settlement.expected';
export const EXPECTED_PAYOUTS_CONSUMER = 'settlement.expected-payouts';
export const EXPECTED_WITHDRAWALS_CONSUMER = 'settlement.expected-withdrawals';

export const EXPECTED_TOPICS = [
  'payment.captured',
  'payment.refunded',
  'refund.failed',
  'dispute.opened',
  'dispute.closed',
] as const;
export const EXPECTED_PAYOUTS_TOPICS = ['payout.paid', 'payout.returned'] as const;

const MOVING = ['captured', 'refunded', 'refundFailed', 'disputeOpened', 'disputeClosed'] as const;

/**
 * What happened here becomes what the acquirers and the bank are expected to tell of. In any order: each event is a line of its
 * own.
 */
@Controller()
export class ExpectedLinesController {
  constructor(@InjectConfig() private readonly config: SettlementConfig) {}

  @Subscription({ consumer: EXPECTED_CONSUMER, kind: 'payment', ordered: false, topics: EXPECTED_TOPICS })
  async expectAtAcquirers(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await store(tx, deliveries, (envelope) => {
      const fact = factOf(envelope);
      return fact && expectationOf(fact, WALLET_ACQUIRER);
    });
  }

  @Subscription({
    consumer: EXPECTED_PAYOUTS_CONSUMER,
    kind: 'payout',
    ordered: false,
    topics: EXPECTED_PAYOUTS_TOPICS,
  })
  async expectPayouts(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await store(tx, deliveries, (envelope) => {
      if (envelope.type !== PAYOUT_EVENTS.paid.type && envelope.type !== PAYOUT_EVENTS.returned.type) return undefined;
      const { payoutId, merchantId, amount, currency, bank } = parsed(PAYOUT_EVENTS.paid.payload, envelope);
      return {
        source: `bank:${bank}`,
        reference: payoutId,
        paymentId: null,
        merchantId,
        currency,
        ...(envelope.type === PAYOUT_EVENTS.paid.type ? leaving(amount) : comingBack(amount)),
      };
    });
  }

  /** What people take out of their wallets is paid by the same bank. Failed after it was paid: it came back. */
  @Subscription({ consumer: EXPECTED_WITHDRAWALS_CONSUMER, kind: 'wallet', ordered: false })
  async expectWithdrawals(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    await store(tx, deliveries, (envelope) => {
      const { transactionId, type, status, amount, currency } = parsed(WALLET_EVENTS.transaction.payload, envelope);
      if (type !== 'WITHDRAW' || status === 'PENDING') return undefined;
      return {
        source: `bank:${this.config.BANK_NAME}`,
        reference: transactionId,
        paymentId: null,
        merchantId: null,
        currency,
        ...(status === 'SUCCESS' ? leaving(amount) : comingBack(amount)),
      };
    });
  }
}

const leaving = (amount: number) => ({ type: 'payout', amountMinor: BigInt(-amount) }) as const;
const comingBack = (amount: number) => ({ type: 'return', amountMinor: BigInt(amount) }) as const;

const store = async (
  tx: Tx,
  deliveries: readonly Delivery[],
  expectation: (envelope: Envelope) => Expectation | undefined,
): Promise<void> => {
  const lines = deliveries.flatMap(({ envelope }) => {
    const expected = expectation(envelope);
    return expected === undefined ? [] : [{ ...expected, occurredAt: new Date(envelope.occurredAt) }];
  });
  if (lines.length > 0) await insertExpectedLines(tx, lines);
};

const factOf = (envelope: Envelope): PaymentFact | undefined => {
  const event = MOVING.find((name) => PAYMENT_EVENTS[name].type === envelope.type);
  if (event === undefined) return undefined;
  return { event, payload: parsed(PAYMENT_EVENTS[event].payload, envelope) } as PaymentFact;
};

const parsed = <Schema extends z.ZodType>(schema: Schema, envelope: Envelope): z.output<Schema> => {
  const result = schema.safeParse(envelope.payload);
  if (!result.success) throw new PoisonError(`the payload is not that of ${envelope.type}`, { cause: result.error });
  return result.data;
};
