const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After which delay the second, third … try comes: about a day in all, like a mail server's own queue (RFC 5321 §4.5.4.1). */
const DELAYS_MS = [
  SECOND_MS,
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
] as const;

/** The first and one after each delay. */
export const SEND_TRIES_MAX = DELAYS_MS.length + 1;

/**
 * @param tries how many have failed
 * @param random 0 to 1: spread over a quarter of the delay, so that a server that comes back is not met by all at once
 * @returns undefined after the last
 */
export const retryDelayMs = (tries: number, random: number): number | undefined => {
  const delayMs = DELAYS_MS[tries - 1];
  return delayMs === undefined ? undefined : Math.round(delayMs * (1 + random / 4));
};
