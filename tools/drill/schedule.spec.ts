import { describe, expect, it } from '@jest/globals';

import { type Fault, NOTHING_TO_HEAL } from './faults/fault.js';
import { type Round, roundsFrom } from './schedule.js';

const fault = (name: string, ...touches: readonly string[]): Fault => ({
  name,
  touches,
  lasts: [1, 60],
  inject: () => Promise.resolve(NOTHING_TO_HEAL),
});
const FAULTS = [
  fault('a', 'x'),
  fault('b', 'x'),
  fault('c', 'y'),
  fault('d', 'z'),
  fault('e', 'x', 'y'),
  fault('f', 'z'),
];

const first = (count: number, seed: number): readonly Round[] => {
  const rounds = roundsFrom(seed, FAULTS, 20_000);
  return Array.from({ length: count }, () => rounds.next().value);
};
const told = (rounds: readonly Round[]): unknown =>
  rounds.map((round) => round.map(({ fault: { name }, afterMs, lastsMs, seed }) => ({ name, afterMs, lastsMs, seed })));

describe('the schedule of faults', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(told(first(20, 7))).toEqual(told(first(20, 7)));
    expect(told(first(20, 7))).not.toEqual(told(first(20, 8)));
  });

  it('brings every fault once before any comes again', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const names = first(FAULTS.length, seed).flatMap((round) => round.map((planned) => planned.fault.name));
      expect(new Set(names.slice(0, FAULTS.length)).size).toBe(FAULTS.length);
    }
  });

  it('puts no two faults together that take hold of the same thing, and lets none last longer than the limit', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      for (const round of first(10, seed)) {
        const things = round.flatMap((planned) => planned.fault.touches);
        expect(new Set(things).size).toBe(things.length);
        for (const { lastsMs } of round) expect(lastsMs).toBeLessThanOrEqual(20_000);
      }
    }
  });

  it('does let faults overlap', () => {
    expect(first(30, 1).some((round) => round.length > 1)).toBe(true);
  });
});
