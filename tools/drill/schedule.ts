import type { Fault } from './faults/fault.ts';
import { Random } from './random.ts';

/** A fault with its place in a round. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly afterMs: number;
  readonly lastsMs: number;
  /** For what the fault itself decides. */
  readonly seed: number;
}

/** Faults that overlap; afterwards everything heals, and the verdict is taken. */
export type Round = readonly PlannedFault[];

const TOGETHER_MAX = 3;
const START_WITHIN_MS = 4_000;

/**
 * Rounds without end. Every fault comes once before any comes again, in random company: alone, or with one or two that take
 * hold of something else. The same seed, faults and limit give the same rounds.
 */
export function* roundsFrom(seed: number, faults: readonly Fault[], lastsMsMax: number): Generator<Round, never> {
  const random = new Random(seed);
  for (;;) {
    let waiting = random.shuffled(faults);
    while (waiting.length > 0) {
      const chosen = together(waiting, random.int(1, TOGETHER_MAX));
      waiting = waiting.filter((fault) => !chosen.includes(fault));
      yield chosen.map((fault) => planned(fault, random, lastsMsMax));
    }
  }
}

/** The first that waits, and the next ones that it does not exclude. */
const together = (waiting: readonly Fault[], count: number): readonly Fault[] => {
  const chosen: Fault[] = [];
  const taken = new Set<string>();
  for (const fault of waiting) {
    if (chosen.length === count) break;
    if (fault.touches.some((thing) => taken.has(thing))) continue;
    chosen.push(fault);
    for (const thing of fault.touches) taken.add(thing);
  }
  return chosen;
};

const planned = (fault: Fault, random: Random, lastsMsMax: number): PlannedFault => {
  const [from, to] = fault.lasts;
  return {
    fault,
    afterMs: random.int(0, START_WITHIN_MS),
    lastsMs: Math.min(random.int(from * 1_000, to * 1_000), lastsMsMax),
    seed: random.int(0, 2 ** 32 - 1),
  };
};
