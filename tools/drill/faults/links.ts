import { KAFKA_LINK, LINKS } from '../proxied-links.ts';
import type { Toxic, Toxiproxy } from '../toxiproxy.ts';
import type { Fault } from './fault.ts';

const both = (type: Toxic['type'], attributes: Toxic['attributes']): readonly Toxic[] => [
  { type, stream: 'upstream', attributes },
  { type, stream: 'downstream', attributes },
];

/** Silent, and open for ever: what a cable that was pulled looks like. */
const HALF_OPEN = both('timeout', { timeout: 0 });
const SLOW = [...both('latency', { latency: 250, jitter: 200 }), ...both('bandwidth', { rate: 64 })];
/** What is asked arrives; what is answered does not. */
const ANSWER_LOST: readonly Toxic[] = [{ type: 'timeout', stream: 'downstream', attributes: { timeout: 1_500 } }];

/** Faults of the connections, each of every link: to a database, between services, to an acquirer, to the broker. */
export const linkFaults = (proxies: Toxiproxy): readonly Fault[] =>
  LINKS.flatMap((link) => [
    cut(proxies, link),
    poisoned(proxies, 'half-open', link, HALF_OPEN, [4, 12]),
    poisoned(proxies, 'slow', link, SLOW, [5, 15]),
    // A broker's lost answer is no different from a cut: producers repeat either way.
    ...(link === KAFKA_LINK ? [] : [poisoned(proxies, 'answer-lost', link, ANSWER_LOST, [2, 8])]),
  ]);

const cut = (proxies: Toxiproxy, link: string): Fault => ({
  name: `cut:${link}`,
  touches: [link],
  lasts: [1, 8],
  inject: async () => {
    await proxies.setEnabled(link, false);
    return async () => {
      await proxies.setEnabled(link, true);
    };
  },
});

const poisoned = (
  proxies: Toxiproxy,
  name: string,
  link: string,
  toxics: readonly Toxic[],
  lasts: readonly [number, number],
): Fault => ({
  name: `${name}:${link}`,
  touches: [link],
  lasts,
  inject: async () => {
    for (const toxic of toxics) await proxies.addToxic(link, toxic);
    return async () => {
      for (const toxic of toxics) await proxies.removeToxic(link, toxic);
    };
  },
});
