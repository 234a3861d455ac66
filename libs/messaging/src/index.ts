export { MESSAGING_DDL } from './schema.js';
export { MESSAGING_DEFAULTS, messagingConfigFields, type MessagingSettings } from './settings.js';
export {
  type ConsumerBinding,
  type Delivery,
  type DeliveryHandler,
  type Headers,
  PoisonError,
  type SubscriptionOptions,
} from './message.js';
export { Subscription } from './subscription.js';
export { ContractViolationError, type OutgoingEvent, Outbox } from './outbox/outbox.js';
export { EventCatchUp } from './gaps/catch-up.js';
export { MessagingModule, type MessagingOptions } from './messaging.module.js';
