import type { Plan } from './world.ts';

/** What a run needs of its plan to fail as it did. */
export interface Choices {
  readonly stories: readonly string[];
  readonly faults: readonly string[];
}

/**
 * The smallest choices with which it still fails, as far as bisection finds them (delta debugging: Zeller and Hildebrandt,
 * "Simplifying and Isolating Failure-Inducing Input", 2002): first without whole stories, then without requests and faults.
 *
 * @param failsStill whether a run with these choices fails by the same invariant
 */
export const shrunk = (begun: Choices, failsStill: (choices: Choices) => boolean): Choices => {
  let choices = begun;
  for (let size = Number.POSITIVE_INFINITY; size > sizeOf(choices);) {
    size = sizeOf(choices);
    const { faults } = choices;
    const stories = without(choices.stories, (kept) => failsStill({ stories: kept, faults }));
    choices = { stories, faults: without(faults, (kept) => failsStill({ stories, faults: kept })) };
  }
  return choices;
};

const sizeOf = ({ stories, faults }: Choices): number => stories.length + faults.length;

/** Leaves out ever smaller pieces, as long as what is kept still fails. */
const without = (all: readonly string[], fails: (kept: readonly string[]) => boolean): readonly string[] => {
  let kept = all;
  for (let piece = Math.ceil(kept.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2))
    for (let start = 0; start < kept.length;) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + piece)];
      if (fails(rest)) kept = rest;
      else start += piece;
    }
  return kept;
};

/** The one command that repeats a run. */
export const commandOf = (plan: Plan, bug: string | undefined): string =>
  [
    'npm run sim --',
    `--seed ${plan.seed}`,
    `--stories ${plan.stories}`,
    ...(plan.salt ? [`--salt ${plan.salt}`] : []),
    ...(bug === undefined ? [] : [`--bug ${bug}`]),
    ...(plan.onlyStories === undefined ? [] : [`--only '${[...plan.onlyStories].join(',')}'`]),
    ...(plan.onlyFaults === undefined ? [] : [`--faults '${[...plan.onlyFaults].join(',') || 'none'}'`]),
  ].join(' ');
