import type { FraudListName, FraudRule, VelocityKey } from '@payflow/contracts';
import { fraudTestsOf } from '@payflow/contracts';

/** A span of time before a payment over which something is counted. */
export interface VelocityWindow {
  readonly by: VelocityKey;
  /** Seconds. */
  readonly window: number;
}

/** What was counted, the payment itself included. */
export interface VelocitySeen extends VelocityWindow {
  readonly attempts: number;
  readonly declines: number;
  readonly distinctCards: number;
  /** In the payment's currency. */
  readonly amount: number;
}

/** What is known of the world around a payment at the moment in which it is judged. */
export interface Features {
  readonly velocities: readonly VelocitySeen[];
  readonly lists: readonly FraudListName[];
}

/** The windows that rules look at, each once, shadow rules too. */
export const windowsOf = (rules: readonly Pick<FraudRule, 'when'>[]): readonly VelocityWindow[] => {
  const windows = new Map<string, VelocityWindow>();
  for (const { when } of rules)
    for (const test of fraudTestsOf(when)) {
      if (!('velocity' in test)) continue;
      const { by, window } = test.velocity;
      windows.set(`${by} ${String(window)}`, { by, window });
    }
  return [...windows.values()];
};

export const MINUTE_MS = 60_000;
const MS_PER_SECOND = 1_000;

/** Counts are kept by the minute. */
export const minuteOf = (at: Date): Date => new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS);

/** The first minute of a window that ends now: the one in which it begins, so that nothing of it is missed. */
export const beginOf = ({ window }: VelocityWindow, at: Date): Date =>
  minuteOf(new Date(at.getTime() - window * MS_PER_SECOND));
