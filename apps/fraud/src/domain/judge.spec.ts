import { describe, expect, it } from '@jest/globals';
import { type FraudCondition, fraudConditionSchema, type FraudRule, setFraudRulesSchema } from '@payflow/contracts';
import fc from 'fast-check';

import { conditionSeen } from './condition.js';
import { DEFAULT_RULES } from './default-rules.js';
import { type Facts, factsOf } from './facts.js';
import { beginOf, type Features, windowsOf } from './features.js';
import { judge, type RuleSet } from './judge.js';

const MERCHANT = 'mer_01kxyz6w3hf8btq2v9m4n7r5sd';
const OTHER_MERCHANT = 'mer_01kxyz6w3hf8btq2v9m4n7r5se';
const RULE_ID = 'frl_01kxyz6w3hf8btq2v9m4n7r5sd';
const RULE_ID_2 = 'frl_01kxyz6w3hf8btq2v9m4n7r5se';

const facts = (over: Readonly<Record<string, unknown>> = {}): Facts =>
  factsOf({
    subject: 'payment',
    subjectId: 'pay_1',
    merchantId: MERCHANT,
    userId: 'usr_1',
    amount: 1_000,
    currency: 'USD',
    ip: '192.0.2.7',
    email: 'Ann@Example.com',
    at: '2026-11-21T12:00:00.000Z',
    ...over,
    method: {
      type: 'card',
      brand: 'visa',
      bin: '42424242',
      last4: '4242',
      fingerprint: 'fp_1',
      country: 'US',
      walletId: null,
      ...(over['method'] as object | undefined),
    },
  });

const NOTHING: Features = { velocities: [], lists: [] };
const features = (over: Partial<Features['velocities'][number]> = {}): Features => ({
  velocities: [
    { by: 'ip', window: 600, attempts: 12, declines: 3, distinctCards: 9, amount: 12_000, ...over },
    { by: 'merchant', window: 600, attempts: 500, declines: 3, distinctCards: 9, amount: 12_000 },
  ],
  lists: ['block_email'],
});

/** Through the door, as whoever writes it sends it. */
const condition = (value: unknown): FraudCondition => fraudConditionSchema.parse(value);
const velocity = (measure: string, operator: string, value: number, more: object = {}): unknown => ({
  velocity: { by: 'ip', window: 600, measure, ...more },
  operator,
  value,
});

describe('a condition', () => {
  it.each<[unknown, boolean]>([
    [{ field: 'currency', operator: 'is', value: 'USD' }, true],
    [{ field: 'currency', operator: 'is', value: ['EUR', 'USD'] }, true],
    [{ field: 'currency', operator: 'is_not', value: ['EUR', 'USD'] }, false],
    [{ field: 'currency', operator: 'is_not', value: 'EUR' }, true],
    [{ field: 'cardCountry', operator: 'is_not', value: ['DE', 'FR'] }, true],
    [{ field: 'bin', operator: 'is', value: '424242' }, true],
    [{ field: 'bin', operator: 'is', value: '424243' }, false],
    [{ field: 'ip', operator: 'is', value: '192.0.2.0/24' }, true],
    [{ field: 'ip', operator: 'is_not', value: ['10.0.0.0/8', '192.0.2.7'] }, false],
    [{ field: 'email', operator: 'is', value: 'ann@example.com' }, true],
    [{ field: 'emailDomain', operator: 'is', value: 'example.com' }, true],
    [{ field: 'walletId', operator: 'is', value: 'wal_1' }, false],
    [{ field: 'walletId', operator: 'is_not', value: 'wal_1' }, false],
    [{ field: 'walletId', operator: 'missing' }, true],
    [{ field: 'email', operator: 'present' }, true],
    [{ field: 'amount', currency: 'USD', operator: 'gte', value: 1_000 }, true],
    [{ field: 'amount', currency: 'USD', operator: 'gt', value: 1_000 }, false],
    [{ field: 'amount', currency: 'JPY', operator: 'lte', value: 1_000_000 }, false],
    [velocity('attempts', 'gt', 11), true],
    [velocity('attempts', 'lt', 12), false],
    [velocity('attempts', 'lte', 12), true],
    [velocity('declines', 'eq', 3), true],
    [velocity('distinct_cards', 'gte', 10), false],
    [velocity('amount', 'gte', 12_000, { currency: 'USD' }), true],
    [velocity('amount', 'gte', 12_000, { currency: 'EUR' }), false],
    [{ velocity: { by: 'user', window: 600, measure: 'attempts' }, operator: 'gte', value: 0 }, false],
    [{ list: 'block_email' }, true],
    [{ list: 'block_ip' }, false],
    [{ list: 'block_ip', member: false }, true],
    [{ list: 'block_email', member: false }, false],
  ])('%j: %s', (value, holds) => {
    expect(conditionSeen(condition(value), facts(), features()) !== undefined).toBe(holds);
  });

  it.each(['gte', 'lte', 'eq'])('does not hold (%s) of what was not counted', (operator) => {
    const uncounted = { velocities: [{ by: 'ip', window: 600, attempts: 12 } as const], lists: [] };
    expect(conditionSeen(condition(velocity('declines', operator, 0)), facts(), uncounted)).toBeUndefined();
    expect(conditionSeen(condition(velocity('distinct_cards', operator, 0)), facts(), uncounted)).toBeUndefined();
  });

  it('is explained by the values that it saw, an email only by its domain', () => {
    const value = {
      all: [
        { any: [velocity('attempts', 'gt', 10), velocity('declines', 'gt', 10)] },
        { field: 'email', operator: 'is', value: 'ann@example.com' },
        { field: 'cardCountry', operator: 'is_not', value: ['AT', 'BE', 'CH', 'DE'] },
      ],
    };
    expect(conditionSeen(condition(value), facts(), features())).toEqual([
      '12 attempts by ip in 600 s > 10',
      'email a***@example.com is of a***@example.com',
      'cardCountry US is not of AT, BE, CH, and 1 more',
    ]);
  });

  const leaf = fc.constantFrom<unknown>(
    { field: 'currency', operator: 'is', value: 'USD' },
    { field: 'currency', operator: 'is', value: 'EUR' },
    { list: 'block_email' },
    velocity('attempts', 'gt', 100),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({ all: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
      fc.record({ any: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }) }),
    ),
  }));
  const holds = (value: unknown): boolean => conditionSeen(condition(value), facts(), features()) !== undefined;

  it('is all and any as logic has them', () => {
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), (branches) => {
        expect(holds({ all: branches })).toBe(branches.every(holds));
        expect(holds({ any: branches })).toBe(branches.some(holds));
      }),
    );
  });
});

const rule = (over: Partial<FraudRule> = {}): FraudRule => ({
  id: RULE_ID,
  name: 'A rule',
  when: condition({ field: 'currency', operator: 'is', value: 'USD' }),
  effect: 'BLOCK',
  mode: 'ENFORCED',
  ...over,
});
const ruleSet = (
  rules: readonly FraudRule[],
  thresholds: RuleSet['thresholds'] = { review: 50, block: 90 },
): RuleSet => ({
  rules: [...rules],
  thresholds,
});
const score = (points: number): FraudRule => rule({ effect: 'SCORE', score: points });

describe('a judgement', () => {
  it.each<[string, RuleSet, string, number]>([
    ['no rule', ruleSet([]), 'ALLOW', 0],
    ['a rule that blocks', ruleSet([rule()]), 'BLOCK', 0],
    ['a shadow rule that would block', ruleSet([rule({ mode: 'SHADOW' })]), 'ALLOW', 0],
    ['a rule for another merchant', ruleSet([rule({ merchantIds: [OTHER_MERCHANT] })]), 'ALLOW', 0],
    ['a rule for this merchant', ruleSet([rule({ merchantIds: [OTHER_MERCHANT, MERCHANT] })]), 'BLOCK', 0],
    ['allow before block', ruleSet([rule(), rule({ effect: 'ALLOW' })]), 'ALLOW', 0],
    ['block before review', ruleSet([rule({ effect: 'REVIEW' }), rule()]), 'BLOCK', 0],
    ['review before the score', ruleSet([rule({ effect: 'REVIEW' }), score(100)]), 'REVIEW', 100],
    ['a score below both thresholds', ruleSet([score(49)]), 'ALLOW', 49],
    ['a score that asks for people', ruleSet([score(30), score(20)]), 'REVIEW', 50],
    ['a score that blocks', ruleSet([score(60), score(30)]), 'BLOCK', 90],
    ['a score lowered again', ruleSet([score(60), score(-20)]), 'ALLOW', 40],
    ['a score below nothing', ruleSet([score(-60)]), 'ALLOW', 0],
    ['a score above all', ruleSet([score(80), score(80)], { review: null, block: null }), 'ALLOW', 100],
    ['a score where nobody reviews', ruleSet([score(60)], { review: null, block: 90 }), 'ALLOW', 60],
  ])('by %s', (_, rules, outcome, points) => {
    expect(judge(rules, facts(), NOTHING)).toMatchObject({ outcome, score: points });
  });

  it('names every rule that spoke, overridden or in the shadow', () => {
    const rules = ruleSet([rule(), rule({ id: RULE_ID_2, effect: 'ALLOW' }), rule({ mode: 'SHADOW' })]);
    const { reasons, shadow } = judge(rules, facts(), NOTHING);
    expect(reasons.map(({ effect }) => effect)).toEqual(['BLOCK', 'ALLOW']);
    expect(shadow).toEqual([
      { ruleId: RULE_ID, name: 'A rule', effect: 'BLOCK', score: 0, detail: 'currency USD is of USD' },
    ]);
  });

  it('leaves to people only what can wait for them', () => {
    const transfer = facts({ subject: 'wallet_transfer' });
    expect(judge(ruleSet([rule({ effect: 'REVIEW' })]), transfer, NOTHING).outcome).toBe('BLOCK');
  });

  it('is the same however often it is made, and shadow rules never change it', () => {
    const anyRule = fc.record({
      effect: fc.constantFrom<FraudRule['effect']>('ALLOW', 'REVIEW', 'BLOCK', 'SCORE'),
      points: fc.integer({ min: -100, max: 100 }),
      fits: fc.boolean(),
      mode: fc.constantFrom<FraudRule['mode']>('ENFORCED', 'SHADOW'),
    });
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 12 }), (given) => {
        const rules = given.map(({ effect, points, fits, mode }) =>
          rule({
            effect,
            mode,
            when: condition({ field: 'currency', operator: 'is', value: fits ? 'USD' : 'EUR' }),
            ...(effect === 'SCORE' ? { score: points } : {}),
          }),
        );
        const judged = judge(ruleSet(rules), facts(), NOTHING);
        expect(judge(ruleSet(rules), facts(), NOTHING)).toEqual(judged);
        const enforced = judge(ruleSet(rules.filter(({ mode }) => mode === 'ENFORCED')), facts(), NOTHING);
        expect({ ...judged, shadow: [] }).toEqual(enforced);
        expect(judged.score).toBeGreaterThanOrEqual(0);
        expect(judged.score).toBeLessThanOrEqual(100);
      }),
    );
  });
});

describe('the rules that PayFlow comes with', () => {
  it('could be set as they are', () => {
    expect(setFraudRulesSchema.safeParse(DEFAULT_RULES).error).toBeUndefined();
  });

  it('stop nobody but two test cards and what is in a list, however often he pays', () => {
    const busy = windowsOf(DEFAULT_RULES.rules).map((window) => ({
      ...window,
      attempts: 10_000,
      declines: 10_000,
      distinctCards: 1_000,
      amount: 10_000_000,
    }));
    const judged = judge(DEFAULT_RULES, facts({ amount: 10_000_000 }), { velocities: busy, lists: [] });
    expect(judged).toMatchObject({ outcome: 'ALLOW', score: 0, reasons: [] });
    expect(judged.shadow.map(({ name }) => name)).toEqual(['Card testing', 'One card very often', 'Unusually large']);
    expect(judge(DEFAULT_RULES, facts(), { velocities: [], lists: ['block_ip'] }).outcome).toBe('BLOCK');
    expect(judge(DEFAULT_RULES, facts(), { velocities: [], lists: ['allow_user'] }).outcome).toBe('ALLOW');
  });
});

describe('a window', () => {
  it('begins with the minute in which it begins, so that it is never shorter than it says', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
        fc.integer({ min: 1, max: 1440 }),
        (at, minutes) => {
          const window = minutes * 60;
          const length = at.getTime() - beginOf({ by: 'ip', window }, at).getTime();
          expect(length).toBeGreaterThanOrEqual(window * 1_000);
          expect(length).toBeLessThan((window + 60) * 1_000);
        },
      ),
    );
  });
});
