import type { EventDefinition } from './envelope.js';
import { FRAUD_EVENTS } from './fraud.js';
import { NOTIFICATION_EVENTS } from './notification.js';
import { PAYMENT_EVENTS } from './payment.js';
import { PAYOUT_EVENTS, SETTLEMENT_EVENTS } from './settlement.js';
import { TOKEN_EVENTS } from './token.js';
import { USER_EVENTS } from './user.js';
import { WALLET_EVENTS } from './wallet.js';

/** Every event that is published, by its versioned type. */
export const EVENT_CATALOGUE: ReadonlyMap<string, EventDefinition> = new Map(
  [
    PAYMENT_EVENTS,
    TOKEN_EVENTS,
    USER_EVENTS,
    WALLET_EVENTS,
    FRAUD_EVENTS,
    SETTLEMENT_EVENTS,
    PAYOUT_EVENTS,
    NOTIFICATION_EVENTS,
  ].flatMap((events) =>
    Object.values(events as Readonly<Record<string, EventDefinition>>).map((definition) => [
      definition.type,
      definition,
    ]),
  ),
);
