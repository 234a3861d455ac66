import { AMOUNT_MINOR_MAX, containsCardNumber, currencyOf, type Id, type IdPrefix } from '@payflow/kernel';
import { z } from 'zod';

/** An amount of one movement: a positive integer of minor units. */
export const amountSchema = z
  .int()
  .min(1)
  .max(Number(AMOUNT_MINOR_MAX))
  .meta({ description: 'Positive integer of minor units: 1050 is USD 10.50, JPY 1050, BHD 1.050.', examples: [1000] });

/** An amount that may be zero, as answers carry it. */
export const minorSchema = z.int().meta({ description: 'Minor units of the currency.', examples: [1000] });

export const currencySchema = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be three upper-case letters')
  .refine((code) => currencyOf(code) !== undefined, 'is not an ISO 4217 currency')
  .meta({ description: 'ISO 4217 alphabetic code.', examples: ['USD'] });

export const timeSchema = z.iso
  .datetime()
  .meta({ description: 'RFC 3339, UTC.', examples: ['2026-02-07T15:04:05.000Z'] });

/** An id with this prefix: a UUIDv7 in base 32 behind it, so that ids sort by time. */
export const idSchema = <Prefix extends IdPrefix>(prefix: Prefix): z.ZodType<Id<Prefix>, string> =>
  z
    .templateLiteral(
      [`${prefix}_`, z.string().regex(/^[0-7][0-9a-hjkmnp-tv-z]{25}$/)],
      `must be an id that begins with ${prefix}_`,
    )
    .meta({ examples: [`${prefix}_01kxyz6w3hf8btq2v9m4n7r5sd`] }) as unknown as z.ZodType<Id<Prefix>, string>;

/** What is stored outside the vault must hold no card number, however it got there (PCI DSS 3.5.1). */
export const withoutCardNumber = <Schema extends z.ZodString | z.ZodURL | z.ZodEmail>(schema: Schema) =>
  schema.refine((text) => !containsCardNumber(text), {
    message: 'must not contain a card number',
    params: { code: 'card_number' },
  });

/** Text that people read: no control characters, so that nothing can be smuggled into a header, a log or a statement. */
export const textSchema = (lengthMax: number) =>
  withoutCardNumber(
    z
      .string()
      .min(1)
      .max(lengthMax)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters'),
  );

const METADATA_KEYS_MAX = 50;

/** Free data of the merchant, stored and returned unchanged. */
export const metadataSchema = z
  .record(
    withoutCardNumber(
      z
        .string()
        .min(1)
        .max(40)
        .regex(/^[\w.-]+$/, 'keys are letters, digits, dot, dash and underscore'),
    ).refine((key) => key !== '__proto__', 'is a reserved key'),
    withoutCardNumber(
      z
        .string()
        .max(500)
        .regex(/^[^\u0000\p{Cs}]*$/u, 'must not contain NUL or lone surrogates'),
    ),
  )
  .refine((metadata) => Object.keys(metadata).length <= METADATA_KEYS_MAX, `at most ${METADATA_KEYS_MAX} keys`)
  .meta({ description: 'Up to 50 string values, stored and returned unchanged.', examples: [{ orderId: 'ord_123' }] });

export const LIST_LIMIT_DEFAULT = 20;
export const LIST_LIMIT_MAX = 100;

/** Query of every list: page size and the cursor of the page before. */
export const pageQueryFields = {
  limit: z.coerce.number().int().min(1).max(LIST_LIMIT_MAX).default(LIST_LIMIT_DEFAULT),
  cursor: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[\w-]+$/)
    .optional(),
};

/** Answer of every list, newest first; `nextCursor` is null on the last page. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), nextCursor: z.string().nullable() });
