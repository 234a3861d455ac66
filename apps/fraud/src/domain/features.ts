import type { FraudListName, FraudRule, FraudVelocityTest, VelocityKey } from '@payflow/contracts';
import { fraudTestsOf } from '@payflow/contracts';

import type { Facts } from './facts.js';

/** A span of time before a payment over which something is counted. */
export interface VelocityWindow {
  readonly by: VelocityKey;
  /** Seconds. */
  readonly window: number;
}

export type VelocityMeasure = FraudVelocityTest['velocity']['measure'];

/** A window that rules look at, with all that they ask of it: nothing else is counted. */
export interface WatchedWindow extends VelocityWindow {
  readonly measures: ReadonlySet<VelocityMeasure>;
}

/** What was counted, the payment itself included. What no rule asks for is not there. */
export interface VelocitySeen extends VelocityWindow {
  readonly attempts?: number;
  readonly declines?: number;
  readonly distinctCards?: number;
  /** In the payment's currency. */
  readonly amount?: number;
}

/** What is known of the world around a payment at the moment in which it is judged. */
export interface Features {
  readonly velocities: readonly VelocitySeen[];
  readonly lists: readonly FraudListName[];
}

/** The windows that rules look at, each once, shadow rules too. */
export const windowsOf = (rules: readonly Pick<FraudRule, 'when'>[]): readonly WatchedWindow[] => {
  const windows = new Map<string, VelocityWindow & { readonly measures: Set<VelocityMeasure> }>();
  for (const { when } of rules)
    for (const test of fraudTestsOf(when)) {
      if (!('velocity' in test)) continue;
      const { by, window, measure } = test.velocity;
      const key = `${by} ${String(window)}`;
      const watched = windows.get(key) ?? { by, window, measures: new Set() };
      watched.measures.add(measure);
      windows.set(key, watched);
    }
  return [...windows.values()];
};

/**
 * A watched window as a payment sees it: it is an attempt, and its card is one of the cards.
 *
 * @param before what was counted before the payment, without its own card; called only for what rules ask for
 */
export const seenIn = (
  { by, window, measures }: WatchedWindow,
  { fields, amount }: Facts,
  before: (measure: VelocityMeasure) => number,
): VelocitySeen => ({
  by,
  window,
  ...(measures.has('attempts') ? { attempts: before('attempts') + 1 } : {}),
  ...(measures.has('declines') ? { declines: before('declines') } : {}),
  ...(measures.has('distinct_cards')
    ? { distinctCards: before('distinct_cards') + (fields.fingerprint === null ? 0 : 1) }
    : {}),
  ...(measures.has('amount') ? { amount: before('amount') + amount } : {}),
});

export const MINUTE_MS = 60_000;
const MS_PER_SECOND = 1_000;

/** Counts are kept by the minute. */
export const minuteOf = (at: Date): Date => new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS);

/** The first minute of a window that ends now: the one in which it begins, so that nothing of it is missed. */
export const beginOf = ({ window }: VelocityWindow, at: Date): Date =>
  minuteOf(new Date(at.getTime() - window * MS_PER_SECOND));
