import { z } from 'zod';

import { pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

export const FRAUD_LIST_KINDS = ['fingerprint', 'email', 'ip', 'user', 'bin', 'country'] as const;
export type FraudListKind = (typeof FRAUD_LIST_KINDS)[number];
export type FraudListName = `${'block' | 'allow'}_${FraudListKind}`;

export const FRAUD_LISTS: readonly FraudListName[] = FRAUD_LIST_KINDS.flatMap(
  (kind) => [`block_${kind}`, `allow_${kind}`] as const,
);
export const isFraudListName = (text: string): text is FraudListName => FRAUD_LISTS.some((name) => name === text);
export const kindOfFraudList = (name: FraudListName): FraudListKind => name.slice('block_'.length) as FraudListKind;

export const fraudListNameSchema = z
  .enum(FRAUD_LISTS)
  .meta({ description: 'What the default rules block or allow; other rules may name it too.' });

/** POST /fraud/lists/{name}/entries */
export const addFraudListEntrySchema = z
  .strictObject({
    value: textSchema(254).meta({
      description:
        "As the list's kind has it: the vault's fingerprint of a card, an email or `@domain`, an address or a network, `usr_…`, six to eight digits, a country.",
    }),
    reason: textSchema(500),
    expiresAt: timeSchema.optional().meta({ description: 'From then on it is as if it were not there.' }),
  })
  .meta({ id: 'AddFraudListEntry' });
export type AddFraudListEntryRequest = z.infer<typeof addFraudListEntrySchema>;

export const fraudListEntrySchema = z
  .object({
    entryId: z.string(),
    list: z.string(),
    value: z.string(),
    reason: z.string(),
    expiresAt: timeSchema.nullable(),
    createdAt: timeSchema,
    createdBy: z.string(),
  })
  .meta({ id: 'FraudListEntry' });
export type FraudListEntryView = z.infer<typeof fraudListEntrySchema>;

/** GET /fraud/lists/{name}/entries: newest first. */
export const listFraudListEntriesQuerySchema = z.strictObject({
  ...pageQueryFields,
  value: textSchema(254).optional(),
});
export type ListFraudListEntriesQuery = z.infer<typeof listFraudListEntriesQuerySchema>;
export const fraudListEntryPageSchema = pageOf(fraudListEntrySchema).meta({ id: 'FraudListEntryPage' });
