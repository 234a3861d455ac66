import { z } from 'zod';

import { PAYMENT_METHOD_TYPES } from './payments.js';
import { amountSchema, currencySchema, idSchema, textSchema, timeSchema } from './shared-fields.js';

/** An acquirer as the settings name it. */
export const acquirerNameSchema = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/, 'must be lower-case letters, digits and dashes')
  .meta({ examples: ['sim'] });

/** The card schemes that the vault tells apart. */
export const CARD_BRANDS = ['visa', 'mastercard', 'amex', 'discover', 'diners', 'jcb', 'unionpay', 'unknown'] as const;

/** A payment is tried at no more acquirers than this. */
export const ROUTE_LENGTH_MAX = 5;
const RULES_MAX = 100;
const VALUES_MAX = 200;

const distinct = <Item extends z.ZodType>(item: Item, itemsMax: number) =>
  z
    .array(item)
    .min(1)
    .max(itemsMax)
    .refine((items) => new Set(items).size === items.length, {
      message: 'names something twice',
      params: { code: 'duplicate' },
    });

const routeSchema = distinct(acquirerNameSchema, ROUTE_LENGTH_MAX).meta({
  description: 'In the order in which they are tried.',
});

/** All conditions that are there must hold; a rule without one is for every payment. */
const routingConditionsSchema = z
  .strictObject({
    currencies: distinct(currencySchema, VALUES_MAX).optional(),
    brands: distinct(z.enum(CARD_BRANDS), CARD_BRANDS.length).optional(),
    methods: distinct(z.enum(PAYMENT_METHOD_TYPES), PAYMENT_METHOD_TYPES.length).optional(),
    merchantIds: distinct(idSchema('mer'), VALUES_MAX).optional(),
    amountMin: amountSchema.optional().meta({ description: 'Minor units, inclusive. Needs one currency.' }),
    amountMax: amountSchema.optional().meta({ description: 'Minor units, inclusive. Needs one currency.' }),
  })
  .refine(({ amountMin, amountMax }) => amountMin === undefined || amountMax === undefined || amountMin <= amountMax, {
    path: ['amountMax'],
    message: 'must not be less than amountMin',
    params: { code: 'too_small' },
  })
  // 1000 minor units are ten dollars, a thousand yen or one dinar: without its currency the number says nothing.
  .refine(
    ({ amountMin, amountMax, currencies }) =>
      (amountMin === undefined && amountMax === undefined) || currencies?.length === 1,
    { path: ['currencies'], message: 'must name the one currency of the amounts', params: { code: 'required' } },
  );

export const routingRuleSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'must be lower-case letters, digits and dashes')
      .meta({ examples: ['euro-cards'] }),
    description: textSchema(200).optional(),
    when: routingConditionsSchema,
    acquirers: routeSchema,
  })
  .meta({ id: 'RoutingRule' });
export type RoutingRule = z.infer<typeof routingRuleSchema>;

/** PUT /routing/rules: all of them; the first that fits a payment decides. */
export const setRoutingRulesSchema = z
  .strictObject({
    rules: z
      .array(routingRuleSchema)
      .max(RULES_MAX)
      .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, {
        message: 'two rules have the same id',
        params: { code: 'duplicate' },
      }),
    // The example is what a demo starts with: the Postman collection sends it, and other tests go on after it.
    otherwise: routeSchema.meta({ description: 'For payments that no rule fits.', examples: [['sim', 'sim2']] }),
    disabled: z.array(acquirerNameSchema).max(VALUES_MAX).default([]).meta({
      description: 'Acquirers that get no new payment, whatever the rules say. What they hold is still captured there.',
    }),
  })
  .meta({ id: 'SetRoutingRules' });
export type SetRoutingRulesRequest = z.output<typeof setRoutingRulesSchema>;

/** GET /routing/rules. Version 0 is what holds before anything was set: all acquirers in the order of the settings. */
export const routingRulesSchema = z
  .object({
    version: z.int(),
    rules: z.array(routingRuleSchema),
    otherwise: z.array(acquirerNameSchema),
    disabled: z.array(acquirerNameSchema),
    createdAt: timeSchema.nullable(),
    createdBy: z.string().nullable(),
  })
  .meta({ id: 'RoutingRules' });
export type RoutingRulesResponse = z.infer<typeof routingRulesSchema>;

/** POST /routing/explain: a payment that is only asked about. */
export const explainRouteSchema = z
  .strictObject({
    amount: amountSchema,
    currency: currencySchema,
    paymentMethodType: z.enum(PAYMENT_METHOD_TYPES),
    brand: z.enum(CARD_BRANDS).optional(),
    merchantId: idSchema('mer').optional(),
  })
  .meta({ id: 'ExplainRoute' });
export type ExplainRouteRequest = z.infer<typeof explainRouteSchema>;

export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;

export const explainedRouteSchema = z
  .object({
    route: z.array(acquirerNameSchema).meta({ description: 'Empty: such a payment is refused as not routable.' }),
    rule: z.string().nullable().meta({ description: 'Id of the rule that decided; null: none fitted.' }),
    version: z.int().meta({ description: 'Of the rules.' }),
    reasons: z.array(z.string()),
    acquirers: z.array(
      z.object({
        name: acquirerNameSchema,
        healthy: z.boolean().meta({ description: 'Enabled, and not left alone by the breaker.' }),
        breaker: z.enum(BREAKER_STATES).meta({
          description:
            'As the instance that answers sees it. `half_open`: left alone long enough, the next payment tries it.',
        }),
      }),
    ),
  })
  .meta({ id: 'ExplainedRoute' });
export type ExplainedRouteResponse = z.infer<typeof explainedRouteSchema>;
