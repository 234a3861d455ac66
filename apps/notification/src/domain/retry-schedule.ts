const MS_PER_SECOND = 1_000;
/** Of each delay, up or down: what failed together is not tried together again. */
const JITTER = 0.2;

/**
 * When a delivery is tried next, or null: that was the last time.
 *
 * @param failures tries of this round, the one that has just failed included
 * @param chance from 0 to 1
 */
export const nextTryAt = (
  failures: number,
  delaysSeconds: readonly number[],
  failedAt: Date,
  chance: number,
): Date | null => {
  const seconds = delaysSeconds[failures - 1];
  if (seconds === undefined) return null;
  const factor = 1 - JITTER + 2 * JITTER * chance;
  return new Date(failedAt.getTime() + Math.round(seconds * factor * MS_PER_SECOND));
};
