import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { merged } from './merge.ts';

const portionsOf = async function* (keys: readonly string[], size: number): AsyncGenerator<readonly string[]> {
  for (let index = 0; index < keys.length; index += size) yield await Promise.resolve(keys.slice(index, index + size));
};
const itself = (key: string): string => key;

const walk = async (left: readonly string[], right: readonly string[], size: number): Promise<readonly string[]> => {
  const seen: string[] = [];
  const both = merged(
    portionsOf(left, size),
    portionsOf(right, size + 1),
    { left: itself, right: itself },
    (ours, theirs) => `${ours ?? '-'}|${theirs ?? '-'}`,
  );
  for await (const pair of both) seen.push(pair);
  return seen;
};

describe('two sorted streams', () => {
  it('are walked side by side, whatever one of them lacks', async () => {
    expect(await walk(['a', 'b', 'd'], ['b', 'c', 'd', 'e'], 2)).toEqual(['a|-', 'b|b', '-|c', 'd|d', '-|e']);
  });

  it('show each key once, in order, in portions of any size', async () => {
    const keys = fc.uniqueArray(fc.stringMatching(/^[a-f]{1,3}$/), { maxLength: 30 }).map((some) => some.sort());
    await fc.assert(
      fc.asyncProperty(keys, keys, fc.integer({ min: 1, max: 7 }), async (left, right, size) => {
        const all = [...new Set([...left, ...right])].sort();
        const expected = all.map((key) => `${left.includes(key) ? key : '-'}|${right.includes(key) ? key : '-'}`);
        expect(await walk(left, right, size)).toEqual(expected);
      }),
    );
  });

  it('are closed when the reader stops early', async () => {
    let closed = 0;
    const endless = async function* (): AsyncGenerator<readonly string[]> {
      try {
        for (let key = 0; ; key += 1) yield await Promise.resolve([String(key).padStart(9, '0')]);
      } finally {
        closed += 1;
      }
    };
    for await (const key of merged(endless(), endless(), { left: itself, right: itself }, itself as never)) {
      expect(key).toBe('000000000');
      break;
    }
    expect(closed).toBe(2);
  });
});
