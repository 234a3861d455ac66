import { type AggregateKind, type Topic, TOPICS } from '@payflow/contracts';

import { JOURNAL_CONSUMER } from '../../apps/ledger/src/events/payment-events.controller.js';
import { ADDITIONS_CONSUMER, ADDITIONS_TOPICS } from '../../apps/wallet/src/events/added-payments.controller.js';
import { OWNERS_CONSUMER } from '../../apps/wallet/src/events/user-events.controller.js';
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
  { consumer: OWNERS_CONSUMER, kind: 'user', service: 'wallet', ordered: true },
  {
    consumer: ADDITIONS_CONSUMER,
    kind: 'payment',
    service: 'wallet',
    ordered: false,
    topics: ADDITIONS_TOPICS,
  },
];
