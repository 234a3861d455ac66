import { z } from 'zod';

import { idSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

export const DEAD_LETTER_STATUSES = ['open', 'replaying', 'replayed', 'discarded'] as const;

/** Twelve hex digits of the hash of what makes a group. */
const groupSchema = z
  .string()
  .regex(/^[0-9a-f]{12}$/, 'must be a group of the list of groups')
  .meta({
    description: 'Letters of one cause: consumer, topic, reason and first line of the stack, ids and numbers aside.',
  });

/** A message a consumer could not apply (spec §3). The bytes are kept; the body shown is the decoded text, masked and cut. */
export const deadLetterSchema = z
  .object({
    deadLetterId: z.string(),
    group: groupSchema,
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
    body: z.string().meta({
      description:
        'Without card numbers, secrets and tokens; mail addresses and phone numbers shortened; cut at 10,000 characters.',
    }),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetterResponse = z.infer<typeof deadLetterSchema>;

export const listDeadLettersQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(DEAD_LETTER_STATUSES).optional(),
  group: groupSchema.optional(),
});
export const deadLetterPageSchema = pageOf(deadLetterSchema).meta({ id: 'DeadLetterPage' });

/** POST …/dead-letters/{id}/dry-run: what a replay would do now. */
export const deadLetterDryRunSchema = z
  .object({ wouldSucceed: z.boolean(), reason: z.string().nullable() })
  .meta({ id: 'DeadLetterDryRun' });

const whySchema = textSchema(500).meta({ description: 'Why; it stays with the action.' });

export const discardDeadLetterSchema = z.strictObject({ reason: whySchema }).meta({ id: 'DiscardDeadLetter' });
export const replayDeadLetterSchema = z.strictObject({ reason: whySchema.optional() }).meta({ id: 'ReplayDeadLetter' });

/** GET …/dead-letters/groups: what went wrong, instead of how often it did. */
export const listDeadLetterGroupsQuerySchema = z.strictObject({
  status: z.enum(DEAD_LETTER_STATUSES).default('open'),
});
export const deadLetterGroupSchema = z
  .object({
    group: groupSchema,
    service: z.string(),
    consumer: z.string(),
    topic: z.string(),
    reason: z.string().meta({ description: 'Of the newest letter.' }),
    errorLine: z.string().meta({ description: "The first line of the newest letter's stack." }),
    count: z.int(),
    firstFailedAt: timeSchema,
    lastFailedAt: timeSchema,
    newestDeadLetterId: z.string(),
  })
  .meta({ id: 'DeadLetterGroup' });
export type DeadLetterGroup = z.infer<typeof deadLetterGroupSchema>;
export const deadLetterGroupsSchema = z
  .object({ data: z.array(deadLetterGroupSchema), truncated: z.boolean() })
  .meta({ id: 'DeadLetterGroups' });
export type DeadLetterGroups = z.infer<typeof deadLetterGroupsSchema>;

/** GET /operations/dead-letters (gateway): the groups of every service that answered. */
export const allDeadLettersSchema = z
  .object({
    data: z.array(deadLetterGroupSchema),
    complete: z.boolean().meta({ description: 'Whether every service answered.' }),
    missing: z
      .array(z.string())
      .meta({ description: 'Services that did not answer: what they have is not in `data`.' }),
  })
  .meta({ id: 'AllDeadLetters' });
export type AllDeadLetters = z.infer<typeof allDeadLettersSchema>;

export const DEAD_LETTER_IDS_MAX = 1_000;
/** A job takes so many letters; what is more is left to the next one, and the answer says so. */
export const DEAD_LETTERS_PER_JOB_MAX = 10_000;

const selectionFields = {
  group: groupSchema.optional(),
  ids: z.array(idSchema('dl')).min(1).max(DEAD_LETTER_IDS_MAX).optional(),
  filter: z
    .strictObject({
      consumer: textSchema(200).optional(),
      topic: textSchema(200).optional(),
      from: timeSchema.optional().meta({ description: 'Failed first at this time or later.' }),
      to: timeSchema.optional().meta({ description: 'Failed first before this time.' }),
    })
    .refine((filter) => Object.keys(filter).length > 0, 'must name something')
    .optional(),
};
const ONE_SELECTION = 'must have one of group, ids and filter';
const hasOneSelection = (selection: { group?: unknown; ids?: unknown; filter?: unknown }): boolean =>
  [selection.group, selection.ids, selection.filter].filter((part) => part !== undefined).length === 1;

/** POST …/dead-letters/replay */
export const replayDeadLettersSchema = z
  .strictObject({
    ...selectionFields,
    reason: whySchema,
    ratePerSecond: z.int().min(1).max(1_000).default(50),
  })
  .refine(hasOneSelection, ONE_SELECTION)
  .meta({ id: 'ReplayDeadLetters' });
export type ReplayDeadLetters = z.infer<typeof replayDeadLettersSchema>;

/** POST …/dead-letters/discard */
export const discardDeadLettersSchema = z
  .strictObject({ ...selectionFields, reason: whySchema })
  .refine(hasOneSelection, ONE_SELECTION)
  .meta({ id: 'DiscardDeadLetters' });
export type DiscardDeadLetters = z.infer<typeof discardDeadLettersSchema>;

/** POST …/dead-letters/dry-run: what a replay would do with the newest of them. */
export const DRY_RUN_LETTERS_MAX = 50;
export const dryRunDeadLettersSchema = z
  .strictObject(selectionFields)
  .refine(hasOneSelection, ONE_SELECTION)
  .meta({ id: 'DryRunDeadLetters' });
export type DryRunDeadLetters = z.infer<typeof dryRunDeadLettersSchema>;
export const dryRunOfManySchema = z
  .object({
    open: z.int().meta({ description: 'How many open letters the selection has.' }),
    tried: z.int().meta({ description: `The newest of them, ${DRY_RUN_LETTERS_MAX} at most.` }),
    wouldSucceed: z.int(),
    outcomes: z.array(z.object({ wouldSucceed: z.boolean(), reason: z.string().nullable(), count: z.int() })),
  })
  .meta({ id: 'DeadLettersDryRun' });
export type DryRunOfMany = z.infer<typeof dryRunOfManySchema>;

export const DEAD_LETTER_JOB_ACTIONS = ['replay', 'discard'] as const;
export const DEAD_LETTER_JOB_STATUSES = ['running', 'done', 'canceled'] as const;

/** A replay or discard of many letters: it goes on where it was after a crash, in any instance. */
export const deadLetterJobSchema = z
  .object({
    jobId: z.string(),
    service: z.string(),
    action: z.enum(DEAD_LETTER_JOB_ACTIONS),
    status: z.enum(DEAD_LETTER_JOB_STATUSES),
    reason: z.string(),
    principalId: z.string(),
    ratePerSecond: z.int(),
    total: z.int().meta({ description: 'Letters that were open when the job was made.' }),
    handled: z.int().meta({ description: 'Handed to their consumers again, or discarded.' }),
    skipped: z.int().meta({ description: 'Somebody else had replayed or discarded them first.' }),
    leftOut: z.boolean().meta({ description: 'There were more than one job takes; make another one.' }),
    now: z
      .object({ open: z.int(), replaying: z.int(), replayed: z.int(), discarded: z.int() })
      .meta({ description: 'How the letters of the job stand now; one that failed again is open.' }),
    createdAt: timeSchema,
    finishedAt: timeSchema.nullable(),
  })
  .meta({ id: 'DeadLetterJob' });
export type DeadLetterJobView = z.infer<typeof deadLetterJobSchema>;
export const listDeadLetterJobsQuerySchema = z.strictObject(pageQueryFields);
export const deadLetterJobPageSchema = pageOf(deadLetterJobSchema).meta({ id: 'DeadLetterJobPage' });

/** GET …/dead-letters/actions: who did what to which letter, when and why. Only ever added to. */
export const listDeadLetterActionsQuerySchema = z.strictObject({
  ...pageQueryFields,
  deadLetterId: idSchema('dl').optional(),
  jobId: idSchema('dlj').optional(),
});
export type ListDeadLetterActionsQuery = z.infer<typeof listDeadLetterActionsQuerySchema>;
export const deadLetterActionSchema = z
  .object({
    actionId: z.string(),
    deadLetterId: z.string(),
    jobId: z.string().nullable(),
    action: z.enum(['replay', 'dry_run', 'discard']),
    principalId: z.string(),
    reason: z.string().nullable(),
    outcome: z.string().nullable(),
    at: timeSchema,
  })
  .meta({ id: 'DeadLetterAction' });
export type DeadLetterActionView = z.infer<typeof deadLetterActionSchema>;
export const deadLetterActionPageSchema = pageOf(deadLetterActionSchema).meta({ id: 'DeadLetterActionPage' });

/** GET …/dead-letters/parked: messages that wait for another try or for the event before them. */
export const parkedMessagesSchema = z
  .object({
    data: z.array(
      z.object({
        consumer: z.string(),
        retrying: z.int().meta({ description: 'Failed, and tried again in a while.' }),
        waiting: z.int().meta({ description: 'Wait for an event before them.' }),
        oldestAt: timeSchema,
      }),
    ),
  })
  .meta({ id: 'ParkedMessages' });
export type ParkedMessages = z.infer<typeof parkedMessagesSchema>;

export const STUCK_KINDS = [
  'payment_exception',
  'wallet_exception',
  'settlement_exception',
  'payout',
  'fraud_review',
  'ledger_approval',
  'parked_messages',
  'dead_letters',
] as const;

/** GET /operations/stuck (gateway): what does not go on by itself, or waits for people. */
export const stuckItemSchema = z
  .object({
    kind: z.enum(STUCK_KINDS),
    service: z.string(),
    id: z.string(),
    since: timeSchema,
    summary: z.string(),
    links: z.record(z.string(), z.string()).meta({ description: 'Where to look, and where to decide.' }),
  })
  .meta({ id: 'StuckItem' });
export type StuckItem = z.infer<typeof stuckItemSchema>;
export const stuckSchema = z
  .object({
    data: z.array(stuckItemSchema).meta({ description: 'What has waited longest first.' }),
    complete: z.boolean().meta({ description: 'Whether every service answered, and each with all it has.' }),
    missing: z.array(z.string()).meta({ description: 'Services that did not answer.' }),
    withheld: z.array(z.string()).meta({ description: 'Kinds that the caller may not see.' }),
    truncated: z
      .array(z.string())
      .meta({ description: 'Kinds of which there are more than the hundred that are shown.' }),
  })
  .meta({ id: 'Stuck' });
export type Stuck = z.infer<typeof stuckSchema>;
