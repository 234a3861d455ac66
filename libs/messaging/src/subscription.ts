import { applyDecorators, Catch, type RpcExceptionFilter, UseFilters } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { type Observable, throwError } from 'rxjs';

import type { SubscriptionOptions } from './message.js';

export const KAFKA_INBOX_TRANSPORT = Symbol('payflow:kafka-inbox');

/** Nest would hide what a handler threw behind "Internal server error"; the inbox must know it. */
@Catch()
class RethrowFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

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
    EventPattern<unknown>(options.consumer, KAFKA_INBOX_TRANSPORT, { ...options }),
    UseFilters(new RethrowFilter()),
    passDeliveriesAndTransaction,
  );

/** Nest hands a method without decorated parameters nothing but the payload. */
const passDeliveriesAndTransaction: MethodDecorator = (target, method) => {
  Payload()(target, method, 0);
  Ctx()(target, method, 1);
};
