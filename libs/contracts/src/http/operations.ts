import { z } from 'zod';

import { pageOf, pageQueryFields, timeSchema } from './shared-fields.js';

export const DEAD_LETTER_STATUSES = ['open', 'replaying', 'replayed', 'discarded'] as const;

/** A message a consumer could not apply (spec §3). The bytes are kept; the body shown is the decoded text, cut. */
export const deadLetterSchema = z
  .object({
    deadLetterId: z.string(),
    service: z.string(),
    consumer: z.string(),
    status: z.enum(DEAD_LETTER_STATUSES),
    eventId: z.string().nullable(),
    aggregateId: z.string().nullable(),
    topic: z.string(),
    partition: z.int(),
    offset: z.string(),
    reason: z.string(),
    errorLine: z.string().meta({ description: "The first line of the error's stack." }),
    attempts: z.int(),
    firstFailedAt: timeSchema,
    lastFailedAt: timeSchema,
    body: z.string(),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetterResponse = z.infer<typeof deadLetterSchema>;

export const listDeadLettersQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(DEAD_LETTER_STATUSES).optional(),
});
export const deadLetterPageSchema = pageOf(deadLetterSchema).meta({ id: 'DeadLetterPage' });

/** POST …/dead-letters/{id}/dry-run: what a replay would do now. */
export const deadLetterDryRunSchema = z
  .object({ wouldSucceed: z.boolean(), reason: z.string().nullable() })
  .meta({ id: 'DeadLetterDryRun' });

export const discardDeadLetterSchema = z
  .strictObject({ reason: z.string().min(1).max(500) })
  .meta({ id: 'DiscardDeadLetter' });
