import { KAFKA_LINK, LINKS } from '../proxied-links.ts';
import type { Toxic, Toxiproxy } from '../toxiproxy.ts';
import type { Fault } from './fault.ts';

const both = (type: Toxic['type'], attributes: Toxic['attributes']): readonly Toxic[] => [
  { type, stream: 'upstream', attributes },
  { type, stream: 'downstream', attributes },
];

/** What can be wrong with a link; without toxics its connections are closed and new ones refused. */
interface Kind {
  readonly name: string;
  readonly toxics: readonly Toxic[];
  readonly lasts: readonly [number, number];
}

const KINDS: readonly Kind[] = [
  { name: 'cut', toxics: [], lasts: [1, 8] },
  // Silent, and open for ever: what a cable that was pulled looks like.
  { name: 'half-open', toxics: both('timeout', { timeout: 0 }), lasts: [4, 12] },
  {
    name: 'slow',
    toxics: [...both('latency', { latency: 250, jitter: 200 }), ...both('bandwidth', { rate: 64 })],
    lasts: [5, 15],
  },
  // What is asked arrives; what is answered does not.
  {
    name: 'answer-lost',
    toxics: [{ type: 'timeout', stream: 'downstream', attributes: { timeout: 1_500 } }],
    lasts: [2, 8],
  },
];

/** A broker's lost answer is no different from a cut: producers repeat either way. */
const PAIRS = LINKS.flatMap((link) => KINDS.map((kind) => ({ link, kind }))).filter(
  ({ link, kind }) => link !== KAFKA_LINK || kind.name !== 'answer-lost',
);

const nameOf = ({ link, kind }: (typeof PAIRS)[number]): string => `${kind.name}:${link}`;

export const LINK_FAULT_NAMES: readonly string[] = PAIRS.map(nameOf);

/** Faults of the connections, each of every link: to a database, between services, to an acquirer, to the broker. */
export const linkFaults = (proxies: Toxiproxy): readonly Fault[] =>
  PAIRS.map((pair) => {
    const { link, kind } = pair;
    return {
      name: nameOf(pair),
      touches: [link],
      lasts: kind.lasts,
      inject: async () => {
        if (kind.toxics.length === 0) await proxies.setEnabled(link, false);
        for (const toxic of kind.toxics) await proxies.addToxic(link, toxic);
        return async () => {
          for (const toxic of kind.toxics) await proxies.removeToxic(link, toxic);
          if (kind.toxics.length === 0) await proxies.setEnabled(link, true);
        };
      },
    };
  });
