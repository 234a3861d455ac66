import { DISTINCT_CARDS_MAX, VELOCITY_KEYS, type VelocityKey } from '@payflow/contracts';

import { type Facts, velocityValueOf } from './facts.js';
import { beginOf, minuteOf, seenIn, type VelocityMeasure, type VelocitySeen, type WatchedWindow } from './features.js';

/** How much there was, minute by minute; sums of any stretch up to its end. */
class Series {
  private readonly minutes: number[] = [];
  private readonly totals: number[] = [];

  add(minute: number, amount: number): void {
    this.minutes.push(minute);
    this.totals.push((this.totals.at(-1) ?? 0) + amount);
  }

  since(minute: number): number {
    let [low, high] = [0, this.minutes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.minutes[middle] ?? 0) < minute) low = middle + 1;
      else high = middle;
    }
    return (this.totals.at(-1) ?? 0) - (low === 0 ? 0 : (this.totals[low - 1] ?? 0));
  }
}

/**
 * What the store counts, counted in memory: for payments of the past that are judged anew, over windows that nobody looked at
 * when they were made. Fed in the order of time.
 */
export class PastCounts {
  private readonly series = new Map<string, Series>();
  /** When each card was last seen with whom, the one seen last at the end. */
  private readonly cards = new Map<string, Map<string, number>>();

  attempt(facts: Facts, at: Date): void {
    const minute = minuteOf(at).getTime();
    const { fingerprint } = facts.fields;
    for (const [by, value] of countedFor(facts)) {
      this.of(by, value, 'attempts').add(minute, 1);
      this.of(by, value, facts.currency).add(minute, facts.amount);
      if (fingerprint === null) continue;
      const key = `${by} ${value}`;
      const seen = this.cards.get(key) ?? new Map<string, number>();
      seen.delete(fingerprint);
      this.cards.set(key, seen.set(fingerprint, minute));
    }
  }

  decline(facts: Facts, at: Date): void {
    for (const [by, value] of countedFor(facts)) this.of(by, value, 'declines').add(minuteOf(at).getTime(), 1);
  }

  /** As the payment would have seen it, itself included. */
  seenBy(facts: Facts, at: Date, windows: readonly WatchedWindow[]): readonly VelocitySeen[] {
    return windows.flatMap((window) => {
      const value = velocityValueOf(facts, window.by);
      if (value === null) return [];
      const since = beginOf(window, at).getTime();
      return seenIn(window, facts, (measure) => this.before(measure, window.by, value, since, facts));
    });
  }

  private before(measure: VelocityMeasure, by: VelocityKey, value: string, since: number, facts: Facts): number {
    if (measure === 'distinct_cards') return this.otherCards(`${by} ${value}`, since, facts.fields.fingerprint);
    return this.of(by, value, measure === 'amount' ? facts.currency : measure).since(since);
  }

  private otherCards(key: string, since: number, own: string | null): number {
    const seen = [...(this.cards.get(key) ?? [])].filter(([card, minute]) => minute >= since && card !== own);
    return Math.min(seen.length, DISTINCT_CARDS_MAX);
  }

  private of(by: string, value: string, what: string): Series {
    const key = `${what} ${by} ${value}`;
    const series = this.series.get(key) ?? new Series();
    this.series.set(key, series);
    return series;
  }
}

const countedFor = (facts: Facts): readonly (readonly [string, string])[] =>
  VELOCITY_KEYS.flatMap((by) => {
    const value = velocityValueOf(facts, by);
    return value === null ? [] : ([[by, value]] as const);
  });
