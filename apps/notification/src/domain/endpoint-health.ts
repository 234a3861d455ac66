const MS_PER_SECOND = 1_000;
/** So many failures in a row open the breaker. */
export const FAILURES_UNTIL_PAUSE = 5;
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 5 * 60 * MS_PER_SECOND;
/** A pause is this part of the time for which the endpoint has failed: short after a hiccup, long when it is dead. */
const PAUSE_SHARE = 0.25;

export type EndpointStatus = 'ENABLED' | 'DISABLED' | 'DELETED';
export type DisabledReason = 'merchant' | 'failing' | 'gone';

/**
 * How an endpoint has been doing. With `pausedUntil` the breaker is open: nothing is sent until then, and then one at a time
 * until one is accepted.
 */
export interface EndpointHealth {
  readonly status: EndpointStatus;
  readonly disabledReason: DisabledReason | null;
  /** The first failure since something was accepted. */
  readonly failingSince: Date | null;
  readonly consecutiveFailures: number;
  readonly pausedUntil: Date | null;
}

/** What became of some tries at one endpoint. */
export interface TriesSeen {
  readonly accepted: number;
  readonly failed: number;
  readonly firstFailedAt: Date | null;
  /** It answered 410 Gone: it wants nothing any more. */
  readonly gone: boolean;
}

export const HEALTHY = { failingSince: null, consecutiveFailures: 0, pausedUntil: null } as const;

/** One that accepts something is well again, whatever failed beside it. */
export const evolveHealth = (
  health: EndpointHealth,
  seen: TriesSeen,
  at: Date,
  disableAfterSeconds: number,
): EndpointHealth => {
  if (seen.gone) return disabled({ ...health, ...HEALTHY, failingSince: health.failingSince ?? at }, 'gone');
  if (seen.accepted > 0) return { ...health, ...HEALTHY };
  if (seen.failed === 0) return health;
  const failingSince = health.failingSince ?? seen.firstFailedAt ?? at;
  const failingMs = at.getTime() - failingSince.getTime();
  const consecutiveFailures = health.consecutiveFailures + seen.failed;
  const failing = {
    ...health,
    failingSince,
    consecutiveFailures,
    pausedUntil: consecutiveFailures < FAILURES_UNTIL_PAUSE ? null : new Date(at.getTime() + pauseMs(failingMs)),
  };
  return failingMs >= disableAfterSeconds * MS_PER_SECOND ? disabled(failing, 'failing') : failing;
};

const pauseMs = (failingMs: number): number =>
  Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, Math.round(failingMs * PAUSE_SHARE)));

/** What was disabled or deleted meanwhile stays as it is. */
const disabled = (health: EndpointHealth, reason: DisabledReason): EndpointHealth =>
  health.status === 'ENABLED' ? { ...health, status: 'DISABLED', disabledReason: reason } : health;
