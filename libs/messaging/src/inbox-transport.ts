import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';

import type { DeliveryHandler, SubscriptionOptions } from './message.js';
import type { Messaging } from './messaging.js';
import { KAFKA_INBOX_TRANSPORT } from './subscription.js';

/** Nest's door to the consumers: methods with @Subscription become handlers, and they run while the transport listens. */
export class InboxTransport extends Server implements CustomTransportStrategy {
  override transportId = KAFKA_INBOX_TRANSPORT;
  /** What a handler throws is the inbox' business, not a line of Nest's log. */
  override readonly propagatesEventHandlerErrors = true;

  constructor(private readonly messaging: Messaging) {
    super();
  }

  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler = false, extras: object = {}): void {
    super.addHandler(pattern, callback, isEventHandler, { ...extras });
    this.messaging.subscribe({ ...(extras as SubscriptionOptions), handle: handlerOf(callback) });
  }

  listen(callback: () => void): void {
    this.messaging.start();
    callback();
  }

  async close(): Promise<void> {
    await this.messaging.stopConsuming();
  }

  override on(): never {
    throw new Error('invariant: the inbox has no events to listen to');
  }

  override unwrap<Unwrapped>(): Unwrapped {
    return this.messaging as Unwrapped;
  }
}

/** Nest wraps what a method throws into an observable. */
const handlerOf =
  (callback: MessageHandler): DeliveryHandler =>
  async (deliveries, tx) => {
    const result: unknown = await callback(deliveries, tx);
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
  };
