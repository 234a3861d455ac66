import { setTimeout as wait } from 'node:timers/promises';

/** Longer than the work takes in either case. */
const ANSWER_AFTER_MS = 250;

/** Answers after the same time whether there was something to do or not: how long it took must not tell either. */
export const inEvenTime = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  const [outcome] = await Promise.allSettled([work(), wait(ANSWER_AFTER_MS)]);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
};
