import { z } from 'zod';

import { idSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

export const PAYMENT_EXCEPTION_KINDS = [
  'contradiction',
  'stuck',
  'void_declined',
  'overdrawn',
  'unrecorded_dispute',
] as const;

/** What the machine cannot decide and people must. It never holds a payment up: what is recorded stands. */
export const paymentExceptionSchema = z
  .object({
    exceptionId: z.string(),
    paymentId: z.string().nullable().meta({ description: 'Null of a dispute that names no payment of ours.' }),
    merchantId: z.string().nullable(),
    operationId: z.string().meta({
      description:
        "The order at the acquirer, as in GET /payments/{id}/attempts, or the dispute; of an `unrecorded_dispute` the acquirer's name and its id of the dispute.",
    }),
    kind: z.enum(PAYMENT_EXCEPTION_KINDS).meta({
      description:
        '`contradiction`: the acquirer says the opposite of what it said before. `stuck`: every inquiry has gone by without an end; it resolves itself when the end comes. `void_declined`: the acquirer will not give back what nobody wants or what has run out. `overdrawn`: refunds and chargebacks together are more than was captured. `unrecorded_dispute`: an acquirer tells of a dispute that no payment of ours can take; `detail.reason` says why; it resolves itself when the dispute is recorded.',
    }),
    detail: z.record(z.string(), z.unknown()),
    createdAt: timeSchema,
    resolvedAt: timeSchema.nullable(),
    resolvedBy: z.string().nullable(),
    resolution: z.string().nullable(),
  })
  .meta({ id: 'PaymentException' });
export type PaymentExceptionResponse = z.infer<typeof paymentExceptionSchema>;

/** GET /payment-exceptions: newest first. */
export const listPaymentExceptionsQuerySchema = z.strictObject({
  ...pageQueryFields,
  open: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  kind: z.enum(PAYMENT_EXCEPTION_KINDS).optional(),
  paymentId: idSchema('pay').optional(),
});
export type ListPaymentExceptionsQuery = z.infer<typeof listPaymentExceptionsQuerySchema>;
export const paymentExceptionPageSchema = pageOf(paymentExceptionSchema).meta({ id: 'PaymentExceptionPage' });

/** POST /payment-exceptions/{id}/resolve */
export const resolvePaymentExceptionSchema = z
  .strictObject({ resolution: textSchema(500).meta({ description: 'What was found, and what was done about it.' }) })
  .meta({ id: 'ResolvePaymentException' });
export type ResolvePaymentExceptionRequest = z.infer<typeof resolvePaymentExceptionSchema>;
