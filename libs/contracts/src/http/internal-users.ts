import { z } from 'zod';

/** GET /internal/users/{userId} and GET /internal/users?email=|phone=|username=: what our services may know of a person. */
export const internalUserSchema = z.object({
  userId: z.string(),
  username: z.string().nullable(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  name: z.string().nullable(),
  status: z.enum(['ACTIVE', 'BLOCKED']),
  /** Nothing of the account waits for verification (an account with a user name alone has nothing to verify). */
  verified: z.boolean(),
  emailVerified: z.boolean(),
  phoneVerified: z.boolean(),
});
export type InternalUser = z.infer<typeof internalUserSchema>;

const REVOCATIONS_WAIT_MS_MAX = 20_000;

export const revocationsQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  waitMs: z.coerce.number().int().min(0).max(REVOCATIONS_WAIT_MS_MAX).default(0),
});
export type RevocationsQuery = z.infer<typeof revocationsQuerySchema>;

/** GET /internal/revocations?after=<position>&waitMs=: whose tokens stop working, in order; waits until there is news. */
export const revocationsSchema = z.object({
  /** The last position of the journal, to ask with the next time. */
  position: z.int(),
  data: z.array(
    z.object({
      /** `usr_…`, `ses_…`, `cli_…`, `apk_…` or `mer_…`: tokens that name it anywhere are refused. */
      subject: z.string(),
      /** false: lifted again. */
      revoked: z.boolean(),
      /** When the last token that could name it has expired; forgotten then. Null: never. */
      until: z.iso.datetime().nullable(),
    }),
  ),
});
export type Revocations = z.infer<typeof revocationsSchema>;
