import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { type Facts, factsOf } from './facts.js';
import { beginOf, minuteOf, type VelocityMeasure, type VelocitySeen, type WatchedWindow } from './features.js';
import { PastCounts } from './past-counts.js';

const START = Date.parse('2026-11-21T12:00:00.000Z');

interface Happened {
  readonly facts: Facts;
  readonly at: Date;
  readonly declined: boolean;
}

/** Few cards, addresses and merchants, so that they meet. */
const happened = fc
  .record({
    second: fc.integer({ min: 0, max: 7_200 }),
    card: fc.option(fc.constantFrom('fp_a', 'fp_b', 'fp_c')),
    ip: fc.option(fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1')),
    merchantId: fc.constantFrom('mer_1', 'mer_2'),
    currency: fc.constantFrom('USD', 'EUR'),
    amount: fc.integer({ min: 1, max: 1_000 }),
    declined: fc.boolean(),
  })
  .map(({ second, card, ip, merchantId, currency, amount, declined }): Happened => {
    const at = new Date(START + second * 1_000);
    const method = {
      type: 'card',
      brand: null,
      bin: null,
      last4: null,
      fingerprint: card,
      country: null,
      walletId: null,
    } as const;
    const request = {
      subject: 'payment',
      subjectId: 'pay_1',
      merchantId,
      userId: null,
      amount,
      currency,
      email: null,
    } as const;
    return { facts: factsOf({ ...request, ip, method, at: at.toISOString() }), at, declined };
  });

/** Each asked for anything from nothing to everything. */
const watched = fc.tuple(
  ...([['fingerprint', 60] as const, ['ip', 600] as const, ['merchant', 3_600] as const] as const).map(([by, window]) =>
    fc
      .subarray<VelocityMeasure>(['attempts', 'declines', 'distinct_cards', 'amount'])
      .map((measures): WatchedWindow => ({ by, window, measures: new Set(measures) })),
  ),
);

/** The same, by looking at everything that was. */
const counted = (
  past: readonly Happened[],
  now: Happened,
  { by, window, measures }: WatchedWindow,
): VelocitySeen | undefined => {
  // An IPv4 address, or the first four groups of an IPv6 one.
  const line = ({ fields }: Facts): string | null => fields.ip?.split(':').slice(0, 4).join(':') ?? null;
  const valueOf = (facts: Facts): string | null =>
    ({
      fingerprint: facts.fields.fingerprint,
      ip: line(facts),
      merchant: facts.merchantId,
      user: facts.fields.userId,
    })[by];
  const value = valueOf(now.facts);
  if (value === null) return undefined;
  const since = beginOf({ by, window }, now.at);
  const seen = past.filter((one) => valueOf(one.facts) === value && minuteOf(one.at) >= since);
  const cards = [...seen, now].flatMap(({ facts }) => facts.fields.fingerprint ?? []);
  const sameCurrency = [...seen, now].filter(({ facts }) => facts.currency === now.facts.currency);
  return {
    by,
    window,
    ...(measures.has('attempts') && { attempts: seen.length + 1 }),
    ...(measures.has('declines') && { declines: seen.filter(({ declined }) => declined).length }),
    ...(measures.has('distinct_cards') && { distinctCards: new Set(cards).size }),
    ...(measures.has('amount') && { amount: sameCurrency.reduce((sum, { facts }) => sum + facts.amount, 0) }),
  };
};

describe('the past, counted in memory', () => {
  it('is what one finds by looking at everything that was, as far as it is asked for', () => {
    fc.assert(
      fc.property(fc.array(happened, { maxLength: 40 }), watched, (unsorted, windows) => {
        const history = [...unsorted].sort((a, b) => a.at.getTime() - b.at.getTime());
        const counts = new PastCounts();
        for (const [index, now] of history.entries()) {
          const past = history.slice(0, index);
          expect(counts.seenBy(now.facts, now.at, windows)).toStrictEqual(
            windows.flatMap((window) => counted(past, now, window) ?? []),
          );
          counts.attempt(now.facts, now.at);
          if (now.declined) counts.decline(now.facts, now.at);
        }
      }),
    );
  });
});
