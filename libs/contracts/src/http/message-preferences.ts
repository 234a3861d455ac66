import { z } from 'zod';

export const MESSAGE_CHANNELS = ['email', 'sms'] as const;

const chosenChannels = z
  .array(z.enum(MESSAGE_CHANNELS))
  .max(MESSAGE_CHANNELS.length)
  .refine((channels) => new Set(channels).size === channels.length, 'names a channel twice');

const choice = (when: string) =>
  chosenChannels.optional().meta({
    description: `${when} Empty: not at all. Left out: a mail, or an SMS where no mail address is known.`,
    examples: [['email']],
  });

const personChoices = {
  payment_receipt: choice('A payment of yours was taken.'),
  payment_failed: choice('A payment of yours did not go through.'),
  payment_refunded: choice('A merchant refunded you.'),
  refund_failed: choice('A refund that you were told of did not arrive.'),
  wallet_received: choice('Somebody sent money to your wallet.'),
};

const merchantChoices = {
  payout_paid: choice('A payout reached your bank account.'),
  payout_failed: choice('The bank refused a payout.'),
  payout_returned: choice('A payout came back after it was paid.'),
  dispute_opened: choice('A payer disputes a payment.'),
};

/** PUT /notifications/preferences. Codes and warnings are no choice: they always come. */
export const setMessagePreferencesSchema = z
  .strictObject({ channels: z.strictObject(personChoices) })
  .meta({ id: 'SetMessagePreferences' });
export type SetMessagePreferences = z.infer<typeof setMessagePreferencesSchema>;

const contactSchema = z.strictObject({
  email: z.email().max(254).nullable(),
  phone: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/, 'must be a number in E.164')
    .nullable(),
});

/** PUT /notifications/merchant-preferences. */
export const setMerchantMessagePreferencesSchema = z
  .strictObject({
    contact: contactSchema.meta({ description: "Where the merchant's messages go. Both null: nowhere." }),
    channels: z.strictObject(merchantChoices),
  })
  .meta({ id: 'SetMerchantMessagePreferences' });
export type SetMerchantMessagePreferences = z.infer<typeof setMerchantMessagePreferencesSchema>;

const resolved = <Choices extends Readonly<Record<string, unknown>>>(choices: Choices) =>
  z.object(
    Object.fromEntries(Object.keys(choices).map((kind) => [kind, z.array(z.enum(MESSAGE_CHANNELS))])) as Record<
      keyof Choices,
      z.ZodArray<z.ZodEnum<{ email: 'email'; sms: 'sms' }>>
    >,
  );

const addresses = z.object({ email: z.string().nullable(), phone: z.string().nullable() });

export const messagePreferencesSchema = z
  .object({
    userId: z.string(),
    contact: addresses.meta({ description: 'The addresses that you have proven: change them at PATCH /me.' }),
    channels: resolved(personChoices).meta({ description: 'As chosen, and the default where nothing is.' }),
  })
  .meta({ id: 'MessagePreferences' });
export type MessagePreferences = z.infer<typeof messagePreferencesSchema>;

export const merchantMessagePreferencesSchema = z
  .object({
    merchantId: z.string(),
    contact: addresses,
    channels: resolved(merchantChoices).meta({ description: 'As chosen, and the default where nothing is.' }),
  })
  .meta({ id: 'MerchantMessagePreferences' });
export type MerchantMessagePreferences = z.infer<typeof merchantMessagePreferencesSchema>;

/** Which messages each of them may switch. */
export const PERSON_MESSAGES = Object.keys(personChoices) as readonly (keyof typeof personChoices)[];
export const MERCHANT_MESSAGES = Object.keys(merchantChoices) as readonly (keyof typeof merchantChoices)[];
