import { describe, expect, it } from '@jest/globals';
import type { FraudCondition, FraudRule } from '@payflow/contracts';

import { DEFAULT_RULES } from './default-rules.js';
import { factsOf } from './facts.js';
import { seenIn, type VelocityMeasure, type VelocitySeen, type WatchedWindow, windowsOf } from './features.js';

const velocity = (by: WatchedWindow['by'], window: number, measure: VelocityMeasure): FraudCondition => ({
  velocity: { by, window, measure, ...(measure === 'amount' ? { currency: 'USD' } : {}) },
  operator: 'gte',
  value: 3,
});
const watchedBy = (...conditions: readonly FraudCondition[]): unknown =>
  windowsOf(conditions.map((when): Pick<FraudRule, 'when'> => ({ when }))).map(({ by, window, measures }) => [
    by,
    window,
    ...measures,
  ]);

describe('the windows that rules look at', () => {
  it('are each there once, with all that is asked of them, however deep in whichever rule', () => {
    expect(
      watchedBy(
        velocity('ip', 600, 'distinct_cards'),
        { any: [velocity('ip', 600, 'declines'), { all: [velocity('merchant', 600, 'amount')] }] },
        velocity('ip', 60, 'attempts'),
        velocity('ip', 600, 'declines'),
      ),
    ).toEqual([
      ['ip', 600, 'distinct_cards', 'declines'],
      ['merchant', 600, 'amount'],
      ['ip', 60, 'attempts'],
    ]);
  });

  it('are none where nobody asks for a velocity', () => {
    expect(watchedBy({ list: 'block_ip' }, { field: 'currency', operator: 'is', value: 'USD' })).toEqual([]);
  });

  it('are those of shadow rules too, and PayFlow’s own never have the cards of a merchant counted', () => {
    expect(watchedBy(...DEFAULT_RULES.rules.map(({ when }) => when))).toEqual([
      ['ip', 600, 'distinct_cards', 'declines'],
      ['merchant', 600, 'declines'],
      ['fingerprint', 60, 'attempts'],
    ]);
  });
});

const facts = (fingerprint: string | null) =>
  factsOf({
    subject: 'payment',
    subjectId: 'pay_1',
    merchantId: 'mer_1',
    userId: null,
    amount: 1_000,
    currency: 'USD',
    ip: null,
    email: null,
    at: '2026-11-21T12:00:00.000Z',
    method: { type: 'card', brand: null, bin: null, last4: null, fingerprint, country: null, walletId: null },
  });

const BEFORE: Readonly<Record<VelocityMeasure, number>> = {
  attempts: 5,
  declines: 2,
  distinct_cards: 3,
  amount: 7_000,
};

describe('a window that a payment sees', () => {
  it.each<[readonly VelocityMeasure[], Partial<VelocitySeen>]>([
    [['attempts'], { attempts: 6 }],
    [['declines'], { declines: 2 }],
    [['distinct_cards'], { distinctCards: 4 }],
    [['amount'], { amount: 8_000 }],
    [['declines', 'amount'], { declines: 2, amount: 8_000 }],
    [
      ['attempts', 'declines', 'distinct_cards', 'amount'],
      { attempts: 6, declines: 2, distinctCards: 4, amount: 8_000 },
    ],
  ])('asked for %j, has that with the payment itself, and nothing else is counted', (measures, seen) => {
    const counted: VelocityMeasure[] = [];
    const window: WatchedWindow = { by: 'merchant', window: 600, measures: new Set(measures) };
    const before = (measure: VelocityMeasure): number => {
      counted.push(measure);
      return BEFORE[measure];
    };
    expect(seenIn(window, facts('fp_1'), before)).toStrictEqual({ by: 'merchant', window: 600, ...seen });
    expect(counted).toEqual(measures);
  });

  it('has no card more by a payment without one', () => {
    const window: WatchedWindow = { by: 'merchant', window: 600, measures: new Set(['distinct_cards']) };
    expect(seenIn(window, facts(null), (measure) => BEFORE[measure])).toMatchObject({ distinctCards: 3 });
  });
});
