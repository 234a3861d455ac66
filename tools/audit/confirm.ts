import { setTimeout as wait } from 'node:timers/promises';

import type { Finding } from './invariant.ts';
import type { Sources } from './sources.ts';

const SUSPECTS_MAX = 10_000;
const RECHECK_BATCH = 500;
const RECHECK_PAUSE_MS = 500;

/** A suspect that is wrong when looked at again. */
export interface Wrong<Suspect> {
  readonly suspect: Suspect;
  readonly finding: Finding;
}

/**
 * Keeps traffic from raising false alarms. A first pass over everything reads several places at slightly different moments;
 * what differs is only suspected. Suspects are looked at again, one group at a time, until they are right or the grace is
 * over: only what was wrong at every look is a finding.
 */
export async function* confirmed<Suspect>(
  { graceMs, note, progress }: Sources,
  suspects: AsyncIterable<Suspect>,
  lookAgain: (suspects: readonly Suspect[]) => Promise<readonly Wrong<Suspect>[]>,
): AsyncGenerator<Finding> {
  const all: Suspect[] = [];
  for await (const suspect of suspects) {
    all.push(suspect);
    if (all.length === SUSPECTS_MAX) {
      note(`stopped looking after ${SUSPECTS_MAX} suspects`);
      break;
    }
  }
  const deadline = performance.now() + graceMs;
  let waiting: readonly Suspect[] = all;
  for (;;) {
    const wrong = await inBatches(waiting, lookAgain);
    if (wrong.length === 0) return;
    if (performance.now() >= deadline) {
      yield* wrong.map(({ finding }) => finding);
      return;
    }
    progress(`${wrong.length} look wrong; looking again`);
    waiting = wrong.map(({ suspect }) => suspect);
    await wait(RECHECK_PAUSE_MS);
  }
}

const inBatches = async <Suspect>(
  suspects: readonly Suspect[],
  lookAgain: (suspects: readonly Suspect[]) => Promise<readonly Wrong<Suspect>[]>,
): Promise<readonly Wrong<Suspect>[]> => {
  const wrong: Wrong<Suspect>[] = [];
  for (let index = 0; index < suspects.length; index += RECHECK_BATCH)
    wrong.push(...(await lookAgain(suspects.slice(index, index + RECHECK_BATCH))));
  return wrong;
};
