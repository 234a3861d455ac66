/** How many failures are free, how fast the wait grows, and when they are forgotten. */
export interface ThrottlePolicy {
  readonly freeFailures: number;
  readonly delayMsFirst: number;
  readonly delayMsMax: number;
  /** After this long without a failure the count starts again. */
  readonly forgetAfterMs: number;
}

/** Failures of one subject: an account or an address. */
export interface ThrottleState {
  readonly failures: number;
  readonly lastFailureAt: Date;
  readonly blockedUntil: Date | null;
}

export type ThrottleDecision =
  { readonly allowed: true; readonly next: ThrottleState } | { readonly allowed: false; readonly retryAfterMs: number };

/**
 * Whether one more try may be made now, and the state that counts it as a failure. It is counted before the password is
 * looked at and taken back when it was right: otherwise a thousand parallel guesses would all pass the check first.
 * The wait doubles, and ends: a stranger who fails on purpose can slow an account's owner down but not lock him out.
 */
export const decideTry = (state: ThrottleState | undefined, policy: ThrottlePolicy, now: Date): ThrottleDecision => {
  if (state?.blockedUntil && state.blockedUntil > now)
    return { allowed: false, retryAfterMs: state.blockedUntil.getTime() - now.getTime() };
  const remembered = state !== undefined && now.getTime() - state.lastFailureAt.getTime() < policy.forgetAfterMs;
  const failures = (remembered ? state.failures : 0) + 1;
  const beyond = failures - policy.freeFailures;
  const delayMs = beyond < 0 ? 0 : Math.min(policy.delayMsMax, policy.delayMsFirst * 2 ** Math.min(beyond, 30));
  return {
    allowed: true,
    next: { failures, lastFailureAt: now, blockedUntil: delayMs === 0 ? null : new Date(now.getTime() + delayMs) },
  };
};

/** The account's own limit: five wrong passwords, then 2 s, 4 s … 5 min. */
export const ACCOUNT_POLICY: ThrottlePolicy = {
  freeFailures: 5,
  delayMsFirst: 2_000,
  delayMsMax: 300_000,
  forgetAfterMs: 900_000,
};

/** One address trying many accounts. Wider, because an office or a carrier shares an address. */
export const ADDRESS_POLICY: ThrottlePolicy = {
  freeFailures: 100,
  delayMsFirst: 2_000,
  delayMsMax: 300_000,
  forgetAfterMs: 900_000,
};

/**
 * Codes to one mail address or phone: five, then one a minute at first and one an hour in the end. Each code may be guessed at
 * five times, so this is also how often a stranger may guess: forgotten a day later, and not when the longest wait is over.
 */
export const SEND_POLICY: ThrottlePolicy = {
  freeFailures: 5,
  delayMsFirst: 60_000,
  delayMsMax: 3_600_000,
  forgetAfterMs: 86_400_000,
};
