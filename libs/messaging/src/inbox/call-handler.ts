import { aggregateKindOf } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';
import { currentContext, runInContext } from '@payflow/service';

import type { ConsumerBinding, Delivery } from '../message.js';
import { contextOfEvent } from '../outbox/headers.js';

/**
 * Runs work as caused by an event: what it publishes and logs names the event. A handler of whole batches calls it for
 * each event for which it publishes; for a single delivery it is done already.
 */
export const inContextOf = <Result>(delivery: Delivery, work: () => Result): Result =>
  runInContext(
    {
      ...currentContext(),
      ...contextOfEvent(delivery.envelope, delivery.headers, aggregateKindOf(delivery.topic) === 'payment'),
    },
    work,
  );

export const callHandler = async (binding: ConsumerBinding, deliveries: readonly Delivery[], tx: Tx): Promise<void> => {
  const [first] = deliveries;
  if (first === undefined) return;
  if (deliveries.length > 1) await binding.handle(deliveries, tx);
  else await inContextOf(first, () => binding.handle(deliveries, tx));
};
