import { z } from 'zod';

import { currencySchema, LIST_LIMIT_MAX, textSchema, timeSchema } from './shared-fields.js';
import { decimalAmountSchema } from './written-amount.js';

/** A person by his id, or by his user name. */
const personSchema = textSchema(64).meta({ description: 'A user by id or by user name.', examples: ['alice'] });

/** POST /payments?fromUser=&toUser=&amount=: a payment from one user to another, from default wallet to default wallet. */
export const createTransferIntentSchema = z
  .strictObject({
    fromUser: personSchema,
    toUser: personSchema,
    amount: decimalAmountSchema,
    currency: currencySchema.optional().meta({ description: 'Without it: the default of this installation.' }),
  })
  .meta({ id: 'CreateTransferIntent' });
export type CreateTransferIntentRequest = z.infer<typeof createTransferIntentSchema>;

/** As the requirement documents print it. */
export const TRANSFER_INTENT_STATUSES = ['Pending', 'Completed', 'Failed'] as const;

export const transferIntentSchema = z
  .object({
    id: z.string(),
    fromUser: z.string(),
    toUser: z.string(),
    amount: z.string().meta({ description: 'Decimal, major units.', examples: ['10.00'] }),
    currency: z.string(),
    status: z.enum(TRANSFER_INTENT_STATUSES),
    reason: z.string().nullable().meta({ description: 'Why it Failed.' }),
    timestamp: timeSchema,
  })
  .meta({ id: 'TransferIntent' });
export type TransferIntentView = z.infer<typeof transferIntentSchema>;

/** GET /internal/users/{userId}/transfer-intents (service to service): as payer or payee, newest first, behind a place. */
export const listTransferIntentsQuerySchema = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(LIST_LIMIT_MAX + 1),
  beforeTime: timeSchema.optional(),
  beforeId: z.string().max(64).optional(),
  from: timeSchema.optional(),
  to: timeSchema.optional(),
});
export type ListTransferIntentsQuery = z.infer<typeof listTransferIntentsQuerySchema>;
export const transferIntentListSchema = z.object({ data: z.array(transferIntentSchema) });
