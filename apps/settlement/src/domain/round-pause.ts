const PAUSE_MS = 10_000;
const PAUSE_MS_MAX = 3_600_000;

/**
 * How long a run waits before it tries again those whom it set aside: twice as long each time, an hour at most.
 *
 * @param rounds how often it went through its merchants before this time
 */
export const roundPauseMs = (rounds: number): number => Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** rounds);
