export { MESSAGING_DDL } from './schema.js';
export { MESSAGING_DEFAULTS, messagingConfigFields, type MessagingSettings } from './settings.js';
export {
  type ConsumerBinding,
  type Delivery,
  type DeliveryHandler,
  type Headers,
  PoisonError,
  type RawMessage,
  type SubscriptionOptions,
} from './message.js';
export { Subscription } from './subscription.js';
export { inContextOf } from './inbox/call-handler.js';
export { ContractViolationError, type HeldPublications, type OutgoingEvent, Outbox } from './outbox/outbox.js';
export { Relay } from './outbox/relay.js';
export { republish } from './outbox/republish.js';
export { EventCatchUp } from './gaps/catch-up.js';
export { DeadLetters } from './dead-letters/dead-letters.js';
export { BrokerHealth } from './broker-health.js';
export { Messaging, type MessagingParts } from './messaging.js';
export {
  type MessagingAsyncOptions,
  MessagingModule,
  type MessagingOptions,
  type OwnerAccess,
} from './messaging.module.js';
export { type PartitionExtent, TopicReader } from './kafka/topic-reader.js';
export { Loop } from './loop.js';
