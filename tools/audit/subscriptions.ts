import { type AggregateKind, type Topic, TOPICS } from '@payflow/contracts';

import { OUTCOMES_TOPICS } from '../../apps/fraud/src/application/payment-outcomes.js';
import { OUTCOMES_CONSUMER } from '../../apps/fraud/src/events/payment-outcomes.controller.js';
import { JOURNAL_CONSUMER } from '../../apps/ledger/src/events/payment-events.controller.js';
import {
  MERCHANT_EVENT_CONSUMERS,
  MERCHANT_FRAUD_TOPICS,
  MERCHANT_SETTLEMENT_TOPICS,
} from '../../apps/notification/src/events/merchant-events.controller.js';
import {
  PAYMENT_MESSAGES_CONSUMER,
  PAYMENT_MESSAGES_TOPICS,
} from '../../apps/notification/src/events/payment-messages.controller.js';
import {
  PAYOUT_MESSAGES_CONSUMER,
  PAYOUT_MESSAGES_TOPICS,
} from '../../apps/notification/src/events/payout-messages.controller.js';
import { CONTACTS_CONSUMER } from '../../apps/notification/src/events/user-messages.controller.js';
import { WALLET_MESSAGES_CONSUMER } from '../../apps/notification/src/events/wallet-messages.controller.js';
import { REVIEWS_CONSUMER, REVIEWS_TOPICS } from '../../apps/payment/src/events/fraud-decisions.controller.js';
import { SETTLEMENTS_CONSUMER, SETTLEMENTS_TOPICS } from '../../apps/payment/src/events/settlement-lines.controller.js';
import { BALANCES_CONSUMER } from '../../apps/settlement/src/application/hear-payments.js';
import { ADDITIONS_CONSUMER, ADDITIONS_TOPICS } from '../../apps/wallet/src/events/added-payments.controller.js';
import { OWNERS_CONSUMER } from '../../apps/wallet/src/events/user-events.controller.js';
import {
  EXPECTED_CONSUMER,
  EXPECTED_PAYOUTS_CONSUMER,
  EXPECTED_PAYOUTS_TOPICS,
  EXPECTED_TOPICS,
  EXPECTED_WITHDRAWALS_CONSUMER,
} from '../../apps/settlement/src/events/expected-lines.controller.js';
import type { ServiceName } from '../stack/services.ts';

/** Who must get which events. A test holds this against the services' `@Subscription`s. */
export interface KnownSubscription {
  readonly consumer: string;
  readonly kind: AggregateKind;
  /** Whose database has its inbox and gates. */
  readonly service: ServiceName;
  /** Whether it applies an aggregate's events in their sequence: then it has a gate for each. */
  readonly ordered: boolean;
  /** Where it reads some topics of the kind only. */
  readonly topics?: readonly Topic[];
}

export const topicsOf = ({ kind, topics }: KnownSubscription): readonly Topic[] => topics ?? TOPICS[kind];

export const SUBSCRIPTIONS: readonly KnownSubscription[] = [
  { consumer: JOURNAL_CONSUMER, kind: 'payment', service: 'ledger', ordered: true },
  { consumer: BALANCES_CONSUMER, kind: 'payment', service: 'settlement', ordered: true },
  { consumer: OWNERS_CONSUMER, kind: 'user', service: 'wallet', ordered: true },
  {
    consumer: ADDITIONS_CONSUMER,
    kind: 'payment',
    service: 'wallet',
    ordered: false,
    topics: ADDITIONS_TOPICS,
  },
  { consumer: OUTCOMES_CONSUMER, kind: 'payment', service: 'fraud', ordered: false, topics: OUTCOMES_TOPICS },
  { consumer: MERCHANT_EVENT_CONSUMERS.payment, kind: 'payment', service: 'notification', ordered: true },
  { consumer: MERCHANT_EVENT_CONSUMERS.payout, kind: 'payout', service: 'notification', ordered: true },
  { consumer: MERCHANT_EVENT_CONSUMERS.wallet, kind: 'wallet', service: 'notification', ordered: true },
  {
    consumer: MERCHANT_EVENT_CONSUMERS.settlement,
    kind: 'settlement',
    service: 'notification',
    ordered: false,
    topics: MERCHANT_SETTLEMENT_TOPICS,
  },
  {
    consumer: MERCHANT_EVENT_CONSUMERS.fraud,
    kind: 'fraud',
    service: 'notification',
    ordered: false,
    topics: MERCHANT_FRAUD_TOPICS,
  },
  { consumer: CONTACTS_CONSUMER, kind: 'user', service: 'notification', ordered: true },
  {
    consumer: PAYMENT_MESSAGES_CONSUMER,
    kind: 'payment',
    service: 'notification',
    ordered: false,
    topics: PAYMENT_MESSAGES_TOPICS,
  },
  {
    consumer: PAYOUT_MESSAGES_CONSUMER,
    kind: 'payout',
    service: 'notification',
    ordered: false,
    topics: PAYOUT_MESSAGES_TOPICS,
  },
  { consumer: WALLET_MESSAGES_CONSUMER, kind: 'wallet', service: 'notification', ordered: false },
  { consumer: REVIEWS_CONSUMER, kind: 'fraud', service: 'payment', ordered: false, topics: REVIEWS_TOPICS },
  {
    consumer: SETTLEMENTS_CONSUMER,
    kind: 'settlement',
    service: 'payment',
    ordered: false,
    topics: SETTLEMENTS_TOPICS,
  },
  { consumer: EXPECTED_CONSUMER, kind: 'payment', service: 'settlement', ordered: false, topics: EXPECTED_TOPICS },
  {
    consumer: EXPECTED_PAYOUTS_CONSUMER,
    kind: 'payout',
    service: 'settlement',
    ordered: false,
    topics: EXPECTED_PAYOUTS_TOPICS,
  },
  { consumer: EXPECTED_WITHDRAWALS_CONSUMER, kind: 'wallet', service: 'settlement', ordered: false },
];
