import { z } from 'zod';

import { FRAUD_OUTCOMES, fraudReasonSchema } from './fraud-decision.js';
import { fraudListNameSchema } from './fraud-lists.js';
import { amountSchema, currencySchema, idSchema, textSchema, timeSchema } from './shared-fields.js';

/*
 * Rules as data. A condition is a tree of tests that ends by its shape: no loops, no division, no patterns of the user's, a
 * bounded depth and a bounded number of tests. docs/fraud.md explains the fields with examples.
 */

export const FRAUD_CONDITION_DEPTH_MAX = 5;
export const FRAUD_TESTS_MAX = 50;
export const FRAUD_RULES_MAX = 100;
const BRANCHES_MAX = 20;
const VALUES_MAX = 200;
/** Each different window of the rules is looked up before each decision. */
export const FRAUD_WINDOWS_MAX = 20;
export const FRAUD_WINDOW_SECONDS_MAX = 86_400;
const WINDOW_STEP_SECONDS = 60;

/** What a value may look like that a field is compared with: another one could never be met. */
const FIELD_VALUES = {
  currency: /^[A-Z]{3}$/,
  method: /^(card|wallet|bank_redirect)$/,
  brand: /^[a-z_]{1,40}$/,
  bin: /^\d{1,8}$/,
  last4: /^\d{4}$/,
  fingerprint: /^[\w+/=.:-]{1,128}$/,
  cardCountry: /^[A-Z]{2}$/,
  ip: /^[0-9a-f.:]{2,45}(\/\d{1,3})?$/,
  ipCountry: /^[A-Z]{2}$/,
  email: /^[^\s@A-Z]{1,64}@[^\s@A-Z]{1,190}$/,
  emailDomain: /^[^\s@A-Z]{1,190}$/,
  userId: /^[\w-]{1,64}$/,
  walletId: /^[\w-]{1,64}$/,
} as const satisfies Readonly<Record<string, RegExp>>;

export type FraudField = keyof typeof FIELD_VALUES;
export const FRAUD_FIELDS = Object.keys(FIELD_VALUES) as FraudField[];

const isNetwork = (text: string): boolean =>
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()].some((schema) => schema.safeParse(text).success);

const suitsField = (field: FraudField, value: string): boolean =>
  FIELD_VALUES[field].test(value) && (field !== 'ip' || isNetwork(value));

const distinct = <Item extends z.ZodType>(item: Item, itemsMax: number) =>
  z
    .array(item)
    .min(1)
    .max(itemsMax)
    .refine((items) => new Set(items).size === items.length, {
      message: 'names something twice',
      params: { code: 'duplicate' },
    });

const valueSchema = textSchema(254);

const fieldTestSchema = z
  .strictObject({
    field: z.enum(FRAUD_FIELDS),
    operator: z.enum(['is', 'is_not']).meta({
      description: 'One of the values, or none of them. Neither holds where the payment does not have the field.',
    }),
    value: z.union([valueSchema, distinct(valueSchema, VALUES_MAX)]).meta({
      description: 'A `bin` is compared by its beginning, an `ip` with addresses and networks (`10.0.0.0/8`).',
    }),
  })
  .refine(({ field, value }) => [value].flat().every((one) => suitsField(field, one)), {
    path: ['value'],
    message: 'is no value that the field can have',
    params: { code: 'invalid_format' },
  });

const presenceTestSchema = z.strictObject({ field: z.enum(FRAUD_FIELDS), operator: z.enum(['present', 'missing']) });

const COMPARISONS = ['gt', 'gte', 'lt', 'lte', 'eq'] as const;
export type FraudComparison = (typeof COMPARISONS)[number];

const amountTestSchema = z.strictObject({
  field: z.literal('amount'),
  /** 1000 minor units are ten dollars, a thousand yen or one dinar: without its currency the number says nothing. */
  currency: currencySchema.meta({ description: 'A payment in another currency does not meet the test.' }),
  operator: z.enum(COMPARISONS),
  value: amountSchema,
});

export const VELOCITY_KEYS = ['fingerprint', 'user', 'merchant', 'ip'] as const;
export type VelocityKey = (typeof VELOCITY_KEYS)[number];
export const VELOCITY_MEASURES = ['attempts', 'declines', 'distinct_cards', 'amount'] as const;
/** Cards are counted up to here. */
export const DISTINCT_CARDS_MAX = 1_000;

const velocityTestSchema = z
  .strictObject({
    velocity: z.strictObject({
      by: z.enum(VELOCITY_KEYS),
      window: z.int().min(WINDOW_STEP_SECONDS).max(FRAUD_WINDOW_SECONDS_MAX).multipleOf(WINDOW_STEP_SECONDS).meta({
        description: 'Seconds, whole minutes. It begins with the minute in which it begins.',
      }),
      measure: z.enum(VELOCITY_MEASURES).meta({ description: 'This payment is counted with the ones before it.' }),
      currency: currencySchema.optional().meta({ description: 'Of the measure `amount`, and only there.' }),
    }),
    operator: z.enum(COMPARISONS),
    value: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  })
  .refine(({ velocity: { measure, currency } }) => (measure === 'amount') === (currency !== undefined), {
    path: ['velocity', 'currency'],
    message: 'belongs to the measure `amount`, which needs it',
    params: { code: 'required' },
  })
  .refine(({ velocity: { measure }, value }) => measure !== 'distinct_cards' || value < DISTINCT_CARDS_MAX, {
    path: ['value'],
    message: `cards are counted up to ${String(DISTINCT_CARDS_MAX)}`,
    params: { code: 'too_big' },
  });

const listTestSchema = z.strictObject({
  list: fraudListNameSchema,
  member: z.boolean().optional().meta({ description: 'False: the payment has nothing that is in the list.' }),
});

const fraudTestSchema = z.union([
  fieldTestSchema,
  presenceTestSchema,
  amountTestSchema,
  velocityTestSchema,
  listTestSchema,
]);

export type FraudFieldTest = z.infer<typeof fieldTestSchema>;
export type FraudVelocityTest = z.infer<typeof velocityTestSchema>;
export type FraudTest = z.infer<typeof fraudTestSchema>;
export type FraudCondition =
  FraudTest | { readonly all: readonly FraudCondition[] } | { readonly any: readonly FraudCondition[] };

export const fraudConditionSchema: z.ZodType<FraudCondition> = z
  .union([
    fraudTestSchema,
    z.strictObject({ all: z.lazy(() => z.array(fraudConditionSchema).min(1).max(BRANCHES_MAX)) }),
    z.strictObject({ any: z.lazy(() => z.array(fraudConditionSchema).min(1).max(BRANCHES_MAX)) }),
  ])
  .meta({ id: 'FraudCondition', description: 'A test, or `all` or `any` of several conditions.' });

const branchesOf = (condition: FraudCondition): readonly FraudCondition[] => {
  if ('all' in condition) return condition.all;
  return 'any' in condition ? condition.any : [];
};

/** Every test of a condition. */
export const fraudTestsOf = (condition: FraudCondition): readonly FraudTest[] => {
  if ('all' in condition || 'any' in condition) return branchesOf(condition).flatMap(fraudTestsOf);
  return [condition];
};

const depthOf = (condition: FraudCondition): number => 1 + Math.max(0, ...branchesOf(condition).map(depthOf));

const ruleFields = {
  name: textSchema(100),
  description: textSchema(500).optional(),
  when: fraudConditionSchema,
  effect: z.enum([...FRAUD_OUTCOMES, 'SCORE']).meta({
    description: 'ALLOW is stronger than BLOCK, BLOCK than REVIEW, REVIEW than what the score comes to.',
  }),
  score: z.int().min(-100).max(100).optional().meta({ description: 'With the effect SCORE: what the rule adds.' }),
  mode: z
    .enum(['ENFORCED', 'SHADOW'])
    .meta({ description: 'SHADOW: it is counted and explained, and decides nothing.' }),
  merchantIds: distinct(idSchema('mer'), VALUES_MAX).optional().meta({ description: 'Absent: for all merchants.' }),
};

export const fraudRuleSchema = z.object({ id: idSchema('frl'), ...ruleFields }).meta({ id: 'FraudRule' });
export type FraudRule = z.infer<typeof fraudRuleSchema>;

const ruleRequestSchema = z
  .strictObject({
    id: idSchema('frl').optional().meta({ description: 'Of a rule that there is; a new rule gets one.' }),
    ...ruleFields,
  })
  .refine(({ effect, score }) => (effect === 'SCORE') === (score !== undefined), {
    path: ['score'],
    message: 'belongs to the effect SCORE, which needs it',
    params: { code: 'required' },
  })
  .refine(({ when }) => depthOf(when) <= FRAUD_CONDITION_DEPTH_MAX, {
    path: ['when'],
    message: `is nested deeper than ${String(FRAUD_CONDITION_DEPTH_MAX)} levels`,
    params: { code: 'too_deep' },
  })
  .refine(({ when }) => fraudTestsOf(when).length <= FRAUD_TESTS_MAX, {
    path: ['when'],
    message: `has more than ${String(FRAUD_TESTS_MAX)} tests`,
    params: { code: 'too_big' },
  });

const threshold = z.int().min(1).max(100).nullable();
const thresholdsSchema = z
  .strictObject({
    review: threshold.meta({ description: 'From this score on people decide; null: never because of the score.' }),
    block: threshold.meta({ description: 'From this score on the payment is blocked.' }),
  })
  .refine(({ review, block }) => review === null || block === null || review <= block, {
    path: ['review'],
    message: 'must not be above `block`',
    params: { code: 'too_big' },
  });

const windowsOf = (rules: readonly { readonly when: FraudCondition }[]): ReadonlySet<string> =>
  new Set(
    rules.flatMap(({ when }) =>
      fraudTestsOf(when).flatMap((test) =>
        'velocity' in test ? `${test.velocity.by} ${String(test.velocity.window)}` : [],
      ),
    ),
  );

const ruleSetFields = {
  rules: z
    .array(ruleRequestSchema)
    .max(FRAUD_RULES_MAX)
    .refine((rules) => new Set(rules.map(({ id }) => id ?? {})).size === rules.length, {
      message: 'two rules have the same id',
      params: { code: 'duplicate' },
    })
    .refine((rules) => windowsOf(rules).size <= FRAUD_WINDOWS_MAX, {
      message: `the rules look at more than ${String(FRAUD_WINDOWS_MAX)} different velocity windows`,
      params: { code: 'too_big' },
    }),
  thresholds: thresholdsSchema,
};

/** PUT /fraud/rules: all of them. The rules before stay what they were, under their version. */
export const setFraudRulesSchema = z.strictObject(ruleSetFields).meta({ id: 'SetFraudRules' });
export type SetFraudRulesRequest = z.output<typeof setFraudRulesSchema>;

/** GET /fraud/rules */
export const fraudRulesQuerySchema = z.strictObject({
  version: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
});
export type FraudRulesQuery = z.infer<typeof fraudRulesQuerySchema>;

/** Version 0 is what holds before anything was set: the rules that PayFlow comes with. */
export const fraudRulesSchema = z
  .object({
    version: z.int(),
    rules: z.array(fraudRuleSchema),
    thresholds: thresholdsSchema,
    createdAt: timeSchema.nullable(),
    createdBy: z.string().nullable(),
  })
  .meta({ id: 'FraudRules' });
export type FraudRulesResponse = z.infer<typeof fraudRulesSchema>;

const STATISTICS_DAYS_MAX = 90;

/** GET /fraud/rules/statistics */
export const fraudStatisticsQuerySchema = z.strictObject({
  days: z.coerce.number().int().min(1).max(STATISTICS_DAYS_MAX).default(7),
});
export type FraudStatisticsQuery = z.output<typeof fraudStatisticsQuerySchema>;

export const fraudStatisticsSchema = z
  .object({
    since: timeSchema,
    data: z.array(
      z.object({
        ruleId: z.string(),
        mode: z.enum(['ENFORCED', 'SHADOW']),
        matched: z.int().meta({ description: 'Decisions in which its condition held.' }),
        allowed: z.int().meta({ description: 'Of them: let through. What a shadow rule would have stopped.' }),
        reviewed: z.int(),
        blocked: z.int(),
        declined: z.int().meta({ description: 'Of them: declined by an acquirer afterwards.' }),
        disputed: z.int().meta({ description: 'Of them: disputed by the payer afterwards.' }),
      }),
    ),
  })
  .meta({ id: 'FraudRuleStatistics' });
export type FraudRuleStatistics = z.infer<typeof fraudStatisticsSchema>;

const DRY_RUN_DECISIONS_MAX = 5_000;
export const DRY_RUN_EXAMPLES_MAX = 20;

/** POST /fraud/dry-run */
export const fraudDryRunSchema = z
  .strictObject({
    ...ruleSetFields,
    decisions: z.int().min(1).max(DRY_RUN_DECISIONS_MAX).default(1_000).meta({
      description: 'Over how many of the newest decisions.',
    }),
    merchantId: idSchema('mer').optional().meta({ description: 'Only over decisions on this merchant.' }),
  })
  .meta({ id: 'FraudDryRun' });
export type FraudDryRunRequest = z.output<typeof fraudDryRunSchema>;

export const fraudDryRunResultSchema = z
  .object({
    decisions: z.int(),
    changed: z.int(),
    changes: z.array(z.object({ from: z.enum(FRAUD_OUTCOMES), to: z.enum(FRAUD_OUTCOMES), count: z.int() })),
    examples: z.array(
      z.object({
        decisionId: z.string(),
        subjectId: z.string(),
        from: z.enum(FRAUD_OUTCOMES),
        to: z.enum(FRAUD_OUTCOMES),
        reasons: z.array(fraudReasonSchema),
      }),
    ),
    complete: z.boolean().meta({
      description:
        'False: there was too much before the first of them to read all of it, so its velocities are too low.',
    }),
  })
  .meta({ id: 'FraudDryRunResult' });
export type FraudDryRunResult = z.infer<typeof fraudDryRunResultSchema>;
