import type { AggregateKind } from '@payflow/contracts';

import { JOURNAL_CONSUMER } from '../../apps/ledger/src/events/payment-events.controller.js';
import { OWNERS_CONSUMER } from '../../apps/wallet/src/events/user-events.controller.js';
import type { ServiceName } from '../stack/services.ts';

/** Who must get which events. A test holds this against the services' `@Subscription`s. */
export interface KnownSubscription {
  readonly consumer: string;
  readonly kind: AggregateKind;
  /** Whose database has its inbox and gates. */
  readonly service: ServiceName;
}

export const SUBSCRIPTIONS: readonly KnownSubscription[] = [
  { consumer: JOURNAL_CONSUMER, kind: 'payment', service: 'ledger' },
  { consumer: OWNERS_CONSUMER, kind: 'user', service: 'wallet' },
  { consumer: 'wallet.additions', kind: 'payment', service: 'wallet' },
];
