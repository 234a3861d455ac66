import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { NO_PUBLICATIONS, numberEvents } from './number-events.js';

const topicOf = (event: string): string => event;

describe('the numbers of published events', () => {
  it('go on over topics, and point back within a topic', () => {
    const { numbered, after } = numberEvents(
      { lastSequence: 2, lastByTopic: { a: 2, b: 1 } },
      ['b', 'c', 'b'],
      topicOf,
    );
    expect(numbered.map(({ sequence, previousSequence }) => [sequence, previousSequence])).toEqual([
      [3, 1],
      [4, null],
      [5, 3],
    ]);
    expect(after).toEqual({ lastSequence: 5, lastByTopic: { a: 2, b: 5, c: 4 } });
  });

  it('have no gaps, and a subscriber to one topic can prove that it misses nothing', () => {
    const batches = fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 }), { maxLength: 8 });
    fc.assert(
      fc.property(batches, (all) => {
        let publications = NO_PUBLICATIONS;
        const published = all.flatMap((batch) => {
          const { numbered, after } = numberEvents(publications, batch, topicOf);
          publications = after;
          return numbered;
        });
        expect(published.map(({ sequence }) => sequence)).toEqual(published.map((_, index) => index + 1));
        for (const topic of ['a', 'b', 'c']) {
          const own = published.filter(({ event }) => event === topic);
          expect(own.map(({ previousSequence }) => previousSequence)).toEqual([
            ...(own.length > 0 ? [null] : []),
            ...own.slice(0, -1).map(({ sequence }) => sequence),
          ]);
        }
      }),
    );
  });
});
