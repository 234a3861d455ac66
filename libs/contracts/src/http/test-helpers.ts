import { z } from 'zod';

import { raiseAcquirerDisputeSchema } from './acquirer-disputes.js';
import { setAcquirerModeSchema } from './acquirer.js';
import { bankReferenceSchema, returnBankPayoutSchema, setBankModeSchema } from './bank.js';

/*
 * What a demo's staff may have the simulated acquirers and the bank do (spec §2, Merchants and operations). Elsewhere none of
 * these routes is there.
 */

const simulatedSchema = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/)
  .default('sim');

/** POST /test-helpers/acquirer-mode. Refunds that fail: `mode` of the operation `refund`. */
export const testAcquirerModeSchema = setAcquirerModeSchema
  .extend({ acquirer: simulatedSchema })
  .meta({ id: 'TestAcquirerMode' });
export type TestAcquirerMode = z.infer<typeof testAcquirerModeSchema>;

/** POST /test-helpers/bank-mode */
export const testBankModeSchema = setBankModeSchema.extend({ bank: simulatedSchema }).meta({ id: 'TestBankMode' });
export type TestBankMode = z.infer<typeof testBankModeSchema>;

/** POST /test-helpers/disputes */
export const testDisputeSchema = z
  .strictObject({ acquirer: simulatedSchema, ...raiseAcquirerDisputeSchema.shape })
  .meta({ id: 'TestDispute' });
export type TestDispute = z.infer<typeof testDisputeSchema>;

/** POST /test-helpers/payout-returns: by the payout's id, which is its reference at the bank. */
export const testPayoutReturnSchema = returnBankPayoutSchema
  .extend({ bank: simulatedSchema, payoutId: bankReferenceSchema })
  .meta({ id: 'TestPayoutReturn' });
export type TestPayoutReturn = z.infer<typeof testPayoutReturnSchema>;

/** What the simulator answered, as it answered it. */
export const testHelperAnswerSchema = z.record(z.string(), z.unknown()).meta({ id: 'TestHelperAnswer' });
