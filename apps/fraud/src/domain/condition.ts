import type { FraudComparison, FraudCondition, FraudFieldTest, FraudTest, FraudVelocityTest } from '@payflow/contracts';

import { contains, networkOf } from './address.js';
import type { Facts } from './facts.js';
import type { Features, VelocityMeasure, VelocitySeen } from './features.js';
import { hintedEmail } from './hinted-email.js';

/** What was seen that makes a condition hold, a sentence for each test; undefined where it does not hold. */
export type Seen = readonly string[] | undefined;

const SIGNS: Readonly<Record<FraudComparison, string>> = { gt: '>', gte: '≥', lt: '<', lte: '≤', eq: '=' };

const compares = (seen: number, operator: FraudComparison, value: number): boolean => {
  switch (operator) {
    case 'gt':
      return seen > value;
    case 'gte':
      return seen >= value;
    case 'lt':
      return seen < value;
    case 'lte':
      return seen <= value;
    case 'eq':
      return seen === value;
  }
};

const EXPLAINED_VALUES_MAX = 3;

/** Reasons travel in events and are read by many: an address of a person is only hinted at. */
const shown = (field: FraudFieldTest['field'], value: string): string => {
  if (field === 'email') return hintedEmail(value);
  return value;
};

const equals = (field: FraudFieldTest['field'], facts: Facts, own: string, value: string): boolean => {
  if (field === 'bin') return own.startsWith(value);
  if (field !== 'ip') return own === value;
  const network = networkOf(value);
  return network !== undefined && facts.address !== undefined && contains(network, facts.address);
};

const fieldSeen = ({ field, operator, value }: FraudFieldTest, facts: Facts): Seen => {
  const own = facts.fields[field];
  if (own === null) return undefined;
  const values = [value].flat();
  const met = values.some((one) => equals(field, facts, own, one));
  if (met !== (operator === 'is')) return undefined;
  const named = values.slice(0, EXPLAINED_VALUES_MAX).map((one) => shown(field, one));
  const rest = values.length > named.length ? `, and ${String(values.length - named.length)} more` : '';
  return [`${field} ${shown(field, own)} is ${met ? '' : 'not '}of ${named.join(', ')}${rest}`];
};

const NOUNS = { attempts: 'attempts', declines: 'declines', distinct_cards: 'cards', amount: 'minor units' } as const;

const measured = (seen: VelocitySeen, measure: VelocityMeasure): number | undefined =>
  measure === 'distinct_cards' ? seen.distinctCards : seen[measure];

const velocitySeen = ({ velocity, operator, value }: FraudVelocityTest, facts: Facts, features: Features): Seen => {
  const { by, window, measure, currency } = velocity;
  const seen = features.velocities.find((one) => one.by === by && one.window === window);
  if (seen === undefined || (currency !== undefined && currency !== facts.currency)) return undefined;
  const count = measured(seen, measure);
  return count !== undefined && compares(count, operator, value)
    ? [`${String(count)} ${NOUNS[measure]} by ${by} in ${String(window)} s ${SIGNS[operator]} ${String(value)}`]
    : undefined;
};

const testSeen = (test: FraudTest, facts: Facts, features: Features): Seen => {
  if ('velocity' in test) return velocitySeen(test, facts, features);
  if ('list' in test) {
    const member = features.lists.includes(test.list);
    return member === (test.member ?? true) ? [`${member ? 'is' : 'is not'} in ${test.list}`] : undefined;
  }
  if (test.field === 'amount') {
    if (test.currency !== facts.currency || !compares(facts.amount, test.operator, test.value)) return undefined;
    return [`amount ${String(facts.amount)} ${facts.currency} ${SIGNS[test.operator]} ${String(test.value)}`];
  }
  if (test.operator === 'is' || test.operator === 'is_not') return fieldSeen(test, facts);
  const present = facts.fields[test.field] !== null;
  return present === (test.operator === 'present') ? [`${test.field} is ${test.operator}`] : undefined;
};

/** A test of what the payment does not have, or of what was not counted, does not hold. */
export const conditionSeen = (condition: FraudCondition, facts: Facts, features: Features): Seen => {
  if ('all' in condition) {
    const seen: string[] = [];
    for (const branch of condition.all) {
      const own = conditionSeen(branch, facts, features);
      if (own === undefined) return undefined;
      seen.push(...own);
    }
    return seen;
  }
  if ('any' in condition) {
    const seen = condition.any.flatMap((branch) => conditionSeen(branch, facts, features) ?? []);
    return seen.length === 0 ? undefined : seen;
  }
  return testSeen(condition, facts, features);
};
