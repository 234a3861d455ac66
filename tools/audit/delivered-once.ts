import {
  gatesBehind,
  inboxDifferences,
  offsetsBehind,
  openDeadLetters,
  routeOf,
  unknownConsumers,
} from './consumer-progress.ts';
import type { Invariant } from './invariant.ts';
import { brokenChains, brokenSequences, missingOnTopics, outboxesOf, unpublished } from './outbox-order.ts';
import { SUBSCRIPTIONS } from './subscriptions.ts';

/**
 * Invariant 6. What each service committed to tell: numbered without gaps, published, on its topic. What each consumer did with
 * it: in the inbox once, the gate past it, the topics read to their end, nothing given up that nobody has decided on.
 *
 * While traffic runs: an outbox is bounded (position, time) before the topics are read, so what was published by then must be
 * found. A consumer is read before the owner of the events; what it has not got yet is only suspected, and must have come to
 * the event that was the last at the first look when the grace is over. Sequences are compared in one snapshot.
 */
export const deliveredOnce: Invariant = {
  number: 6,
  title: 'Every event arrives once, in order',
  why: 'An event that is lost or comes twice makes the services disagree about money.',
  async *check(sources) {
    const contents = await sources.broker.contents(sources.progress);
    sources.compared('messages', contents.messages);
    for (const outbox of await outboxesOf(sources)) {
      sources.progress(`the outbox of ${outbox.name}`);
      yield* brokenSequences(outbox);
      yield* brokenChains(sources, outbox);
      yield* missingOnTopics(outbox, contents);
      yield* unpublished(sources, outbox);
    }
    for (const subscription of SUBSCRIPTIONS) {
      sources.progress(`what ${subscription.consumer} got`);
      const route = routeOf(sources, subscription);
      if (subscription.ordered) yield* gatesBehind(sources, route);
      yield* inboxDifferences(sources, route);
      yield* offsetsBehind(sources, route);
    }
    yield* openDeadLetters(sources);
    yield* unknownConsumers(sources, SUBSCRIPTIONS);
  },
};
