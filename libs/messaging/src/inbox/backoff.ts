export interface Backoff {
  readonly retryFirstDelayMs: number;
  readonly retryDelayMsMax: number;
}

/**
 * How long to wait after the n-th failure (1, 2, 3 …): doubling up to a cap, and between half and all of it, so that
 * messages that failed together do not come back together.
 *
 * @param random 0 up to 1
 */
export const retryDelayMs = (
  failures: number,
  { retryFirstDelayMs, retryDelayMsMax }: Backoff,
  random: number,
): number => {
  const full = Math.min(retryDelayMsMax, retryFirstDelayMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (0.5 + random / 2));
};
