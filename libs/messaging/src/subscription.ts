import { applyDecorators, SetMetadata } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';

import type { SubscriptionOptions } from './message.js';

export const SUBSCRIPTION_METADATA = 'payflow:subscription';
export const KAFKA_INBOX_TRANSPORT = Symbol('kafka-inbox');

/**
 * Marks a method of a controller as a consumer of all topics of one kind:
 *
 * ```ts
 * @Subscription({ consumer: 'ledger.journal', kind: 'payment', ordered: true })
 * async handle(deliveries: readonly Delivery[], tx: Tx): Promise<void> { … }
 * ```
 */
export const Subscription = (options: SubscriptionOptions): MethodDecorator =>
  applyDecorators(
    EventPattern<string>(options.consumer, KAFKA_INBOX_TRANSPORT, { ...options }),
    SetMetadata(SUBSCRIPTION_METADATA, options),
  );
