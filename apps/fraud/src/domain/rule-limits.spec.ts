import { describe, expect, it } from '@jest/globals';
import { setFraudRulesSchema } from '@payflow/contracts';

const USD = { field: 'currency', operator: 'is', value: 'USD' };
const nested = (depth: number): unknown =>
  Array.from({ length: depth - 1 }).reduce((inner: unknown) => ({ all: [inner] }), USD);
const rule = (over: object = {}): object => ({ name: 'A rule', when: USD, effect: 'BLOCK', mode: 'ENFORCED', ...over });
const set = (rules: readonly unknown[], thresholds: unknown = { review: 50, block: 90 }): unknown => ({
  rules,
  thresholds,
});
const velocity = (over: object): object => ({
  velocity: { by: 'ip', window: 60, measure: 'attempts', ...over },
  operator: 'gt',
  value: 5,
});
const issuesOf = (value: unknown): readonly string[] =>
  (setFraudRulesSchema.safeParse(value).error?.issues ?? []).map(({ path }) => `/${path.join('/')}`);

describe('rules that are taken', () => {
  it.each<[string, unknown]>([
    ['none', set([])],
    ['as deep as can be', set([rule({ when: nested(5) })])],
    ['as many as can be', set(Array.from({ length: 100 }, () => rule()))],
    ['no thresholds', set([rule()], { review: null, block: null })],
  ])('%s', (_, value) => {
    expect(issuesOf(value)).toEqual([]);
  });
});

describe('rules that are refused', () => {
  it.each<[string, unknown, string]>([
    ['too deep', set([rule({ when: nested(6) })]), '/rules/0/when'],
    ['too many', set(Array.from({ length: 101 }, () => rule())), '/rules'],
    [
      'too many tests',
      set([rule({ when: { all: [1, 2, 3].map(() => ({ any: Array.from({ length: 17 }, () => USD) })) } })]),
      '/rules/0/when',
    ],
    [
      'too many windows',
      set([
        rule({ when: { all: Array.from({ length: 11 }, (_, n) => velocity({ window: 60 * (n + 1) })) } }),
        rule({ when: { all: Array.from({ length: 10 }, (_, n) => velocity({ by: 'user', window: 60 * (n + 1) })) } }),
      ]),
      '/rules',
    ],
    ['the same id twice', set([1, 2].map(() => rule({ id: 'frl_01kxyz6w3hf8btq2v9m4n7r5sd' }))), '/rules'],
    ['an id of something else', set([rule({ id: 'pay_01kxyz6w3hf8btq2v9m4n7r5sd' })]), '/rules/0/id'],
    ['a score without its number', set([rule({ effect: 'SCORE' })]), '/rules/0/score'],
    ['a number without its score', set([rule({ score: 10 })]), '/rules/0/score'],
    ['a score that is no whole number', set([rule({ effect: 'SCORE', score: 0.5 })]), '/rules/0/score'],
    ['thresholds the wrong way round', set([], { review: 90, block: 50 }), '/thresholds/review'],
    ['a threshold that everybody reaches', set([], { review: 0, block: 50 }), '/thresholds/review'],
  ])('%s', (_, value, pointer) => {
    expect(issuesOf(value)).toContain(pointer);
  });

  it.each<[string, unknown]>([
    ['a condition of nothing', { all: [] }],
    ['both at once', { all: [USD], any: [USD] }],
    ['a field that there is not', { field: 'shoeSize', operator: 'is', value: '43' }],
    ['an operator that there is not', { field: 'email', operator: 'matches', value: '^(a+)+$' }],
    ['a division', { field: 'amount', currency: 'USD', operator: 'div', value: 0 }],
    ['an amount without its currency', { field: 'amount', operator: 'gt', value: 5 }],
    ['a value that the field never has', { field: 'currency', operator: 'is', value: 'usd' }],
    ['a network that is none', { field: 'ip', operator: 'is', value: '10.0.0.0/99' }],
    ['values of nothing', { field: 'currency', operator: 'is', value: [] }],
    ['an object for a value', { field: 'currency', operator: 'is', value: { $ne: null } }],
    ['a window of no time', velocity({ window: 0 })],
    ['a window of more than a day', velocity({ window: 86_460 })],
    ['a window of half a minute', velocity({ window: 90 })],
    ['a measure that there is not', velocity({ measure: 'regrets' })],
    ['amounts without a currency', velocity({ measure: 'amount' })],
    ['attempts with a currency', velocity({ currency: 'USD' })],
    ['more cards than are counted', { ...velocity({ measure: 'distinct_cards' }), value: 1_000 }],
    ['a list that there is not', { list: 'block_everybody' }],
    ['code', 'amount > 5'],
    ['nothing', null],
  ])('%s', (_, when) => {
    expect(issuesOf(set([rule({ when })]))).not.toEqual([]);
  });
});
