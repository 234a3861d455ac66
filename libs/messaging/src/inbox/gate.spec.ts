import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { passGate, type Waiting } from './gate.js';

const came = (...sequences: readonly number[]) => sequences.map((sequence) => ({ sequence }));
const parked = (...sequences: readonly number[]) => sequences.map((sequence) => ({ sequence, retrying: false }));
const deliveredOf = (decision: ReturnType<typeof passGate>): readonly number[] =>
  decision.deliver.map(({ item }) => item.sequence);

describe('a gate', () => {
  it('lets an unbroken run pass and parks what is early', () => {
    const decision = passGate(1, [], came(2, 1, 5));
    expect(deliveredOf(decision)).toEqual([1, 2]);
    expect(decision.park).toEqual(came(5));
    expect(decision.next).toBe(3);
  });

  it('takes what was parked along when its predecessor comes', () => {
    const decision = passGate(2, parked(3, 4, 7), came(2));
    expect(deliveredOf(decision)).toEqual([2, 3, 4]);
    expect(decision.next).toBe(5);
  });

  it('skips what came before, and one of two with the same number', () => {
    const decision = passGate(3, [], came(1, 3, 3));
    expect(deliveredOf(decision)).toEqual([3]);
    expect(decision.skip).toEqual(came(1, 3));
  });

  it('lets nothing pass an event that is being tried again', () => {
    const decision = passGate(2, [{ sequence: 2, retrying: true }], came(3));
    expect(decision.deliver).toEqual([]);
    expect(decision.park).toEqual(came(3));
    expect(decision.wake).toBeUndefined();
  });

  it('drops parked events that it has passed', () => {
    expect(passGate(5, parked(3, 5), came()).drop).toEqual(parked(3));
  });

  it('names the event to try next when fewer may be delivered', () => {
    const decision = passGate(1, parked(2), came(1), 1);
    expect(deliveredOf(decision)).toEqual([1]);
    expect(decision.wake).toEqual({ sequence: 2, retrying: false });
  });
});

describe('whatever comes in whatever order', () => {
  const feed = fc
    .integer({ min: 1, max: 30 })
    .chain((count) =>
      fc.tuple(
        fc.constant(count),
        fc.array(fc.array(fc.integer({ min: 1, max: count }), { minLength: 1, maxLength: 6 }), { maxLength: 40 }),
      ),
    );

  it('delivers 1, 2, 3 … once each, and keeps exactly what is early', () => {
    fc.assert(
      fc.property(feed, ([count, chunks]) => {
        const rest = Array.from({ length: count }, (_, index) => index + 1).reverse();
        let next = 1;
        let waiting: readonly Waiting[] = [];
        const delivered: number[] = [];
        for (const chunk of [...chunks, rest]) {
          const decision = passGate(next, waiting, came(...chunk));
          delivered.push(...deliveredOf(decision));
          const taken = new Set(deliveredOf(decision));
          waiting = [
            ...waiting.filter((one) => !taken.has(one.sequence) && !decision.drop.includes(one)),
            ...decision.park.map(({ sequence }) => ({ sequence, retrying: false })),
          ];
          next = decision.next;
          expect(waiting.every(({ sequence }) => sequence > next)).toBe(true);
        }
        expect(delivered).toEqual(Array.from({ length: count }, (_, index) => index + 1));
        expect(waiting).toEqual([]);
      }),
    );
  });

  it('accounts for every arrival and every parked event exactly once', () => {
    const sequences = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 12 });
    const waitingOnes = fc.array(fc.record({ sequence: fc.integer({ min: 1, max: 12 }), retrying: fc.boolean() }), {
      maxLength: 12,
    });
    const limit = fc.constantFrom(1, 2, Number.POSITIVE_INFINITY);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), waitingOnes, sequences, limit, (next, waiting, arrivals, max) => {
        const items = came(...arrivals);
        const decision = passGate(next, waiting, items, max);
        const arrived = decision.deliver.flatMap((one) => (one.from === 'arrival' ? [one.item] : []));
        const taken = decision.deliver.flatMap((one) => (one.from === 'parked' ? [one.item] : []));
        const accounted = [...arrived, ...decision.park, ...decision.skip];
        expect(new Set(accounted)).toEqual(new Set(items));
        expect(accounted).toHaveLength(items.length);
        expect(new Set([...taken, ...decision.drop]).size).toBe(taken.length + decision.drop.length);
        expect(taken.some(({ retrying }) => retrying)).toBe(false);
        expect(deliveredOf(decision)).toEqual(decision.deliver.map((_, index) => next + index));
        expect(decision.deliver.length).toBeLessThanOrEqual(max);
      }),
    );
  });
});
