import type { Bug } from './bugs.ts';
import { seamsWith } from './bugs.ts';
import { type Choices, shrunk } from './shrink.ts';
import { Violation } from './violation.ts';
import { type Plan, storyNames, World } from './world.ts';

/** What one run came to. */
export interface Run {
  readonly plan: Plan;
  readonly events: number;
  readonly faults: number;
  /** Kinds of faults that struck. */
  readonly kinds: readonly string[];
  readonly traceHash: number;
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly invariant: string;
  readonly detail: string;
  /** The faults that struck until then. */
  readonly struck: readonly string[];
}

/** What else is thrown comes out of the product's code or the simulation's: a bug in either. */
const failureOf = (error: unknown, struck: readonly string[]): Failure =>
  error instanceof Violation
    ? { invariant: error.invariant, detail: error.message, struck }
    : {
        invariant: 'assertion',
        detail: error instanceof Error ? (error.stack ?? error.message) : String(error),
        struck,
      };

export const runOnce = (plan: Plan, bug?: Bug, trace?: (line: string) => void): Run => {
  const world = new World(plan, seamsWith(bug), trace);
  let failure: Failure | undefined;
  try {
    world.run();
  } catch (error) {
    failure = failureOf(error, world.faults.struck);
  }
  const { events, traceHash } = world.scheduler;
  const { struck } = world.faults;
  const kinds = [...new Set(struck.map((name) => name.slice(0, name.indexOf('#'))))];
  return { plan, events, faults: struck.length, kinds, traceHash, failure };
};

const SHRINK_EVENTS_MAX = 3_000_000;
/** Leaving something out shifts everything after it, so each candidate gets some other orders of events as well. */
const SALTS = [0, 1, 2, 3, 4, 5, 6, 7];

/** The smallest plan that is found to fail by the same invariant. */
export const smallestPlan = (run: Run, bug?: Bug): Plan => {
  const { plan, failure } = run;
  if (failure === undefined) return plan;
  let smallest: Plan = plan;
  let events = 0;
  const failsStill = ({ stories, faults }: Choices): boolean =>
    SALTS.some((salt) => {
      if (events > SHRINK_EVENTS_MAX) return false;
      const candidate = { ...plan, salt, onlyStories: new Set(stories), onlyFaults: new Set(faults) };
      const again = runOnce(candidate, bug);
      events += again.events;
      if (again.failure?.invariant !== failure.invariant) return false;
      smallest = candidate;
      return true;
    });
  shrunk({ stories: storyNames(plan), faults: failure.struck }, failsStill);
  return smallest;
};

/** The first seed with which a bug shows, and what was run until then. */
export const hunt = (
  bug: Bug,
  { stories, seedsMax }: { readonly stories: number; readonly seedsMax: number },
): { readonly found: Run | undefined; readonly events: number; readonly seeds: number } => {
  let events = 0;
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const run = runOnce({ seed, stories }, bug);
    events += run.events;
    if (run.failure !== undefined) return { found: run, events, seeds: seed };
  }
  return { found: undefined, events, seeds: seedsMax };
};
