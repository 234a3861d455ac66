import { FRAUD_LISTS, type FraudRule } from '@payflow/contracts';

import type { RuleSet } from './judge.js';

const id = (number: number): FraudRule['id'] => `frl_0000000000000000000000000${String(number)}`;
const MINUTE = 60;
const TEN_MINUTES = 600;

const listed = (word: 'block' | 'allow') => ({
  any: FRAUD_LISTS.filter((list) => list.startsWith(word)).map((list) => ({ list })),
});

/**
 * What holds until somebody sets rules. Only what cannot be in anybody's way is enforced: lists, which are empty, and two test
 * numbers that no real card has. The rest is counted in the shadow, so that its statistics tell whether to switch it on.
 */
export const DEFAULT_RULES: RuleSet = {
  rules: [
    { id: id(1), name: 'In a block list', when: listed('block'), effect: 'BLOCK', mode: 'ENFORCED' },
    { id: id(2), name: 'In an allow list', when: listed('allow'), effect: 'ALLOW', mode: 'ENFORCED' },
    {
      id: id(3),
      name: 'Test card: always blocked',
      description: 'The number of Stripe’s documentation that ends with 0019.',
      when: {
        all: [
          { field: 'bin', operator: 'is', value: '410000' },
          { field: 'last4', operator: 'is', value: '0019' },
        ],
      },
      effect: 'BLOCK',
      mode: 'ENFORCED',
    },
    {
      id: id(4),
      name: 'Test card: elevated risk',
      description: 'The number of Stripe’s documentation that ends with 9235.',
      when: {
        all: [
          { field: 'bin', operator: 'is', value: '400000' },
          { field: 'last4', operator: 'is', value: '9235' },
        ],
      },
      effect: 'REVIEW',
      mode: 'ENFORCED',
    },
    {
      id: id(5),
      name: 'Card testing',
      description: 'Many cards or declines from one address, or many declines at one merchant, within ten minutes.',
      when: {
        any: [
          { velocity: { by: 'ip', window: TEN_MINUTES, measure: 'distinct_cards' }, operator: 'gte', value: 10 },
          { velocity: { by: 'ip', window: TEN_MINUTES, measure: 'declines' }, operator: 'gte', value: 10 },
          { velocity: { by: 'merchant', window: TEN_MINUTES, measure: 'declines' }, operator: 'gte', value: 100 },
        ],
      },
      effect: 'BLOCK',
      mode: 'SHADOW',
    },
    {
      id: id(6),
      name: 'One card very often',
      when: { velocity: { by: 'fingerprint', window: MINUTE, measure: 'attempts' }, operator: 'gt', value: 10 },
      effect: 'SCORE',
      score: 60,
      mode: 'SHADOW',
    },
    {
      id: id(7),
      name: 'Unusually large',
      when: {
        any: [
          { field: 'amount', currency: 'USD', operator: 'gte', value: 500_000 },
          { field: 'amount', currency: 'EUR', operator: 'gte', value: 500_000 },
        ],
      },
      effect: 'SCORE',
      score: 40,
      mode: 'SHADOW',
    },
  ],
  thresholds: { review: 50, block: 90 },
};
