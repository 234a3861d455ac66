import { setTimeout as wait } from 'node:timers/promises';

export interface Patience {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/** Only a test that fails waits so long; a machine that is busy with other things may need it. */
const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 25;

/**
 * Repeats a check until it passes, and returns what it returned. For effects that arrive over the broker and announce
 * themselves nowhere; where there is an event to await, await it instead.
 *
 * @param check throws, usually through `expect`, while the effect is not there yet
 * @throws what the check threw last, when time is up
 */
export const eventually = async <Result>(
  check: () => Result | Promise<Result>,
  { timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS }: Patience = {},
): Promise<Result> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await wait(intervalMs);
  }
};
