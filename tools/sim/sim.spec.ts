import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { bugNamed, BUGS } from './bugs.ts';
import { bugTable, TABLE_BEGINS, TABLE_ENDS } from './document.ts';
import { hunt, runOnce, smallestPlan } from './hunt.ts';
import { FAULT_KINDS } from './faults.ts';
import { INVARIANT_NAMES } from './invariants.ts';
import { commandOf } from './shrink.ts';

const STORIES = 30;
const EVENTS = 1_000_000;
const SEEDS_MAX = 200;
/** Room for a machine that is busy with other things. */
const TIMEOUT_MS = 900_000;

describe('a simulation', () => {
  it('is the same run, to the event, for the same seed', () => {
    const [first, again, other] = [11, 11, 12].map((seed) => runOnce({ seed, stories: STORIES }));
    expect(again).toEqual(first);
    expect(other?.traceHash).not.toBe(first?.traceHash);
  });

  it(
    `breaks no invariant in ${EVENTS.toLocaleString('en-US')} events under every fault`,
    () => {
      let events = 0;
      const struck = new Set<string>();
      for (let seed = 1; events < EVENTS; seed += 1) {
        const run = runOnce({ seed, stories: STORIES });
        if (run.failure !== undefined)
          throw new Error(`${run.failure.detail}\nrepeat it with ${commandOf(run.plan, undefined)}`);
        events += run.events;
        for (const kind of run.kinds) struck.add(kind);
      }
      expect([...struck].sort()).toEqual([...FAULT_KINDS].sort());
    },
    TIMEOUT_MS,
  );

  it(
    'shrinks a failure to one command that repeats it',
    () => {
      const bug = bugNamed('marks-before-ack')!;
      const { found } = hunt(bug, { stories: STORIES, seedsMax: SEEDS_MAX });
      const smallest = smallestPlan(found!, bug);
      expect(runOnce(smallest, bug).failure?.invariant).toBe(found?.failure?.invariant);
      expect(smallest.onlyStories!.size).toBeLessThan(10);
      expect(smallest.onlyFaults!.size).toBeLessThan(10);
      expect(commandOf(smallest, bug.name)).toMatch(
        /^npm run sim -- --seed \d+ --stories 30 .*--bug marks-before-ack --only '[^']+' --faults '[^']+'$/,
      );
    },
    TIMEOUT_MS,
  );
});

describe('planted bugs', () => {
  it('are at least 25', () => {
    expect(new Set(BUGS.map(({ name }) => name)).size).toBeGreaterThanOrEqual(25);
  });

  it('break each invariant at least once, so that none of them is idle', () => {
    expect(new Set(BUGS.flatMap(({ foundBy }) => foundBy))).toEqual(new Set(Object.keys(INVARIANT_NAMES)));
  });

  it('are listed in docs/simulation.md, with what finds them', () => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'simulation.md'), 'utf8');
    const table = text.slice(text.indexOf(TABLE_BEGINS) + TABLE_BEGINS.length, text.indexOf(TABLE_ENDS));
    const cells = (lines: string): readonly string[] =>
      lines
        .trim()
        .split('\n')
        .map((line) =>
          line
            .replaceAll(/ *\| */g, '|')
            .replaceAll(/-+/g, '-')
            .trim(),
        );
    expect(cells(table)).toEqual(cells(bugTable()));
  });

  it.each(BUGS.map((bug) => [bug.name, bug] as const))(
    '%s is found',
    (_name, bug) => {
      const { found, seeds } = hunt(bug, { stories: STORIES, seedsMax: SEEDS_MAX });
      if (found?.failure === undefined) throw new Error(`not found in ${seeds} seeds: ${bug.mistake}`);
      expect(bug.foundBy).toContain(found.failure.invariant);
    },
    TIMEOUT_MS,
  );
});
