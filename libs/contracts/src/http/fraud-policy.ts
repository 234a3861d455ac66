import { z } from 'zod';

import { minorSchema } from './shared-fields.js';

/** What becomes of a payment that fraud does not judge in time. */
export const WHEN_FRAUD_IS_DOWN = ['allow_under', 'review', 'refuse'] as const;
export type WhenFraudIsDown = (typeof WHEN_FRAUD_IS_DOWN)[number];

const AMOUNT_MAX = 1_000_000_000;

const policyFields = {
  whenDown: z.enum(WHEN_FRAUD_IS_DOWN).meta({
    description:
      '`allow_under`: goes on up to `amountMax`, and waits above it. `review`: waits until fraud can judge it. `refuse`: fails.',
  }),
  amountMax: minorSchema
    .min(0)
    .max(AMOUNT_MAX)
    .meta({ description: "Of `allow_under`, in minor units of the payment's currency." }),
};

/** PUT /merchants/{id}/fraud-policy. */
export const setFraudPolicySchema = z
  .strictObject({ whenDown: policyFields.whenDown, amountMax: policyFields.amountMax.default(0) })
  .meta({ id: 'SetFraudPolicy' });
export type SetFraudPolicyRequest = z.infer<typeof setFraudPolicySchema>;

/** GET /merchants/{id}/fraud-policy. */
export const fraudPolicySchema = z
  .object({
    merchantId: z.string(),
    ...policyFields,
    isDefault: z.boolean().meta({ description: 'Nothing was set for this merchant.' }),
  })
  .meta({ id: 'FraudPolicy' });
export type FraudPolicyResponse = z.infer<typeof fraudPolicySchema>;
