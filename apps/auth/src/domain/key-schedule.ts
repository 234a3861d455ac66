/**
 * A signing key's life: *next* (published, not yet signing), *current* (signing), *retiring* (published until the last
 * token it signed has expired), *retired* (no longer published).
 */
export interface ScheduledKey {
  readonly kid: string;
  readonly activeFrom: Date | null;
  readonly retireAt: Date | null;
}

/**
 * The keys a verifier must know now. The next key is among them before it signs anything, so that a rotation meets
 * verifiers who have it already, and no token is refused because a key set was cached.
 */
export const publishedKeys = <Key extends ScheduledKey>(keys: readonly Key[], now: Date): readonly Key[] =>
  keys.filter((key) => key.retireAt === null || key.retireAt > now);

/** The key that signs: the one that has begun to and does not retire. No clock decides it, since two instances have two. */
export const currentKey = <Key extends ScheduledKey>(keys: readonly Key[]): Key | undefined =>
  keys.find((key) => key.activeFrom !== null && key.retireAt === null);

/** The key that the next rotation promotes. */
export const nextKey = <Key extends ScheduledKey>(keys: readonly Key[]): Key | undefined =>
  keys.find((key) => key.activeFrom === null);

/**
 * Verifiers fetch the key set for an unknown kid at most once a second, so a key must have been published for longer than
 * that before it signs. Two rotations therefore keep this distance.
 */
export const ROTATION_INTERVAL_MS_MIN = 2_000;

/** Whether the last rotation is so recent that a verifier may not have the next key yet. */
export const rotatedRecently = (keys: readonly ScheduledKey[], now: Date): boolean =>
  keys.some((key) => key.retireAt !== null) &&
  (currentKey(keys)?.activeFrom?.getTime() ?? 0) > now.getTime() - ROTATION_INTERVAL_MS_MIN;
