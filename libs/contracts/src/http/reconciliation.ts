import { z } from 'zod';

import {
  currencySchema,
  idSchema,
  minorSchema,
  pageOf,
  pageQueryFields,
  textSchema,
  timeSchema,
} from './shared-fields.js';
import { SETTLEMENT_EXCEPTION_KINDS } from './settlement-words.js';

/** Whose books ours are compared with: `acquirer:sim`, `bank:sim`. */
export const reconciliationSourceSchema = z
  .string()
  .regex(/^(acquirer|bank):[a-z0-9-]{1,40}$/, 'must be acquirer: or bank: and a name')
  .meta({ description: 'Whose books: `acquirer:{name}` or `bank:{name}`.', examples: ['acquirer:sim'] });

const GRACE_SECONDS_MAX = 30 * 86_400;
const graceSecondsSchema = z.int().min(0).max(GRACE_SECONDS_MAX).meta({
  description: 'What is younger is not missed yet on either side; without it, as the service is set.',
});

/**
 * What a line of a report can be of. Amounts are signed, as seen from what the other side owes us or keeps for us: a capture
 * and a return are above zero, a refund, a chargeback and a payout below.
 */
export const REPORT_LINE_TYPES = [
  'capture',
  'refund',
  'refund_reversal',
  'chargeback',
  'chargeback_reversal',
  'payout',
  'return',
] as const;
export type ReportLineType = (typeof REPORT_LINE_TYPES)[number];

/** The columns of an acquirer's settlement report. Each record has all of them; what it does not use is empty. */
export const SETTLEMENT_REPORT_COLUMNS = [
  /** begin (the period's start in `at`), line, total (of a currency), end (the period's end in `at`, all lines in `count`) */
  'record',
  'acquirer',
  'report',
  'type',
  'reference',
  'acquirer_reference',
  'payment_id',
  'amount',
  'currency',
  'fee',
  'at',
  'count',
] as const;

/** POST /reconciliation/reports: the file is the body. */
export const importReportQuerySchema = z.strictObject({
  source: reconciliationSourceSchema,
  graceSeconds: z.coerce.number().int().min(0).max(GRACE_SECONDS_MAX).optional(),
});
export type ImportReportQuery = z.infer<typeof importReportQuerySchema>;

const totalSchema = z.object({
  currency: currencySchema,
  count: z.int(),
  amount: minorSchema,
  fee: minorSchema.meta({ description: 'What the other side kept.' }),
});

/** A report of an acquirer, or a statement of a bank, as it was read in. */
export const reconciliationReportSchema = z
  .object({
    reportId: z.string(),
    source: z.string(),
    theirId: z.string().meta({ description: 'How the other side calls it.' }),
    sha256: z.string().meta({ description: 'Of the file: the same file is the same report.' }),
    from: timeSchema,
    to: timeSchema,
    lineCount: z.int(),
    totals: z.array(totalSchema),
    importedBy: z.string(),
    createdAt: timeSchema,
    runId: z.string().meta({ description: 'The run that compares it with our books.' }),
  })
  .meta({ id: 'ReconciliationReport' });
export type ReconciliationReport = z.infer<typeof reconciliationReportSchema>;

export const reconciliationReportPageSchema = pageOf(reconciliationReportSchema).meta({
  id: 'ReconciliationReportPage',
});
export const listReconciliationReportsQuerySchema = z.strictObject({
  ...pageQueryFields,
  source: reconciliationSourceSchema.optional(),
});

/** POST /reconciliation/runs: fetches the report of a period and compares it. */
export const startReconciliationSchema = z
  .strictObject({
    source: reconciliationSourceSchema,
    from: timeSchema.optional().meta({ description: 'Without it: where the last report of this source ended.' }),
    to: timeSchema.optional().meta({ description: 'Without it: now.' }),
    graceSeconds: graceSecondsSchema.optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    error: 'must be after from',
  });
export type StartReconciliation = z.infer<typeof startReconciliationSchema>;

export const RECONCILIATION_RUN_STATUSES = ['RUNNING', 'DONE', 'FAILED'] as const;

export const reconciliationRunSchema = z
  .object({
    runId: z.string(),
    source: z.string(),
    status: z.enum(RECONCILIATION_RUN_STATUSES),
    reportId: z.string().nullable(),
    from: timeSchema.nullable(),
    to: timeSchema.nullable(),
    linesMatched: z.int(),
    exceptionsOpened: z.int(),
    exceptionsClosed: z.int().meta({ description: 'Differences that this report has settled by itself.' }),
    failure: z.string().nullable().meta({ description: 'Why it FAILED.' }),
    requestedBy: z.string(),
    createdAt: timeSchema,
    finishedAt: timeSchema.nullable(),
  })
  .meta({ id: 'ReconciliationRun' });
export type ReconciliationRun = z.infer<typeof reconciliationRunSchema>;

export const reconciliationRunPageSchema = pageOf(reconciliationRunSchema).meta({ id: 'ReconciliationRunPage' });
export const listReconciliationRunsQuerySchema = z.strictObject({
  ...pageQueryFields,
  source: reconciliationSourceSchema.optional(),
  status: z.enum(RECONCILIATION_RUN_STATUSES).optional(),
});

/** PENDING: waits for a second person. APPROVED: on its way to the ledger. FAILED: the ledger refused it. */
export const CORRECTION_STATUSES = ['PENDING', 'APPROVED', 'POSTED', 'REFUSED', 'FAILED'] as const;

export const correctionSchema = z
  .object({
    correctionId: z.string(),
    status: z.enum(CORRECTION_STATUSES),
    postings: z.array(z.object({ from: z.string(), to: z.string(), amount: minorSchema, currency: currencySchema })),
    reason: z.string(),
    proposedBy: z.string(),
    proposedAt: timeSchema,
    decidedBy: z.string().nullable(),
    decidedAt: timeSchema.nullable(),
    ledgerTransactionId: z.string().nullable(),
    failure: z.string().nullable(),
  })
  .meta({ id: 'Correction' });

export const settlementExceptionSchema = z
  .object({
    exceptionId: z.string(),
    kind: z.enum(SETTLEMENT_EXCEPTION_KINDS),
    status: z.enum(['OPEN', 'RESOLVED']),
    source: z.string(),
    runId: z.string(),
    reportId: z.string().nullable(),
    line: z.int().nullable().meta({ description: 'Where in the file.' }),
    type: z.enum(REPORT_LINE_TYPES),
    reference: z.string().nullable(),
    theirReference: z.string().nullable(),
    merchantId: z.string().nullable(),
    paymentId: z.string().nullable(),
    expected: minorSchema.nullable().meta({ description: 'What our books say.' }),
    expectedCurrency: currencySchema.nullable(),
    actual: minorSchema.nullable().meta({ description: 'What the other side says.' }),
    currency: currencySchema,
    assignedTo: z.string().nullable(),
    resolution: z.string().nullable(),
    resolvedBy: z.string().nullable(),
    resolvedAt: timeSchema.nullable(),
    createdAt: timeSchema,
    corrections: z.array(correctionSchema),
  })
  .meta({ id: 'SettlementException' });
export type SettlementException = z.infer<typeof settlementExceptionSchema>;

export const settlementExceptionPageSchema = pageOf(settlementExceptionSchema).meta({ id: 'SettlementExceptionPage' });

const exceptionFilter = {
  source: reconciliationSourceSchema.optional(),
  kind: z.enum(SETTLEMENT_EXCEPTION_KINDS).optional(),
  status: z.enum(['OPEN', 'RESOLVED']).optional(),
  runId: idSchema('rec').optional(),
  paymentId: idSchema('pay').optional(),
  assignedTo: z.string().min(1).max(64).optional(),
};
export const listSettlementExceptionsQuerySchema = z.strictObject({ ...pageQueryFields, ...exceptionFilter });
export type ListSettlementExceptionsQuery = z.infer<typeof listSettlementExceptionsQuerySchema>;

/** GET /reconciliation/exceptions.csv */
export const exportSettlementExceptionsQuerySchema = z.strictObject(exceptionFilter);
export type ExportSettlementExceptionsQuery = z.infer<typeof exportSettlementExceptionsQuerySchema>;

export const assignSettlementExceptionSchema = z.strictObject({
  assignee: z
    .string()
    .regex(/^usr_[0-7][0-9a-hjkmnp-tv-z]{25}$/)
    .nullable()
    .meta({ description: 'Who looks at it; null: nobody any more.' }),
});
/** Of resolve, correct, approve and refuse. */
export const settlementReasonSchema = z.strictObject({ reason: textSchema(500) });

export const INJECTED_REPORT_ERRORS = [
  'drop_line',
  'unknown_line',
  'amount',
  'currency',
  'fee',
  'duplicate',
  'wrong_total',
  'truncated',
] as const;
export type InjectedReportError = (typeof INJECTED_REPORT_ERRORS)[number];

/** Query of GET /acquirers/{acquirer}/settlement-reports and GET /banks/{bank}/statements. */
export const reportPeriodQuerySchema = z
  .strictObject({ from: timeSchema, to: timeSchema })
  .refine(({ from, to }) => from < to, { path: ['to'], error: 'must be after from' });
export type ReportPeriodQuery = z.infer<typeof reportPeriodQuerySchema>;

/** POST …/settlement-reports/errors and …/statements/errors: each spoils one line of the next report, or that line's. */
export const injectReportErrorsSchema = z.strictObject({
  errors: z
    .array(
      z.strictObject({
        kind: z.enum(INJECTED_REPORT_ERRORS),
        reference: z.string().min(1).max(64).optional().meta({ description: 'Which line; without it, any.' }),
      }),
    )
    .min(1)
    .max(100),
});
export type InjectReportErrors = z.infer<typeof injectReportErrorsSchema>;
export const injectedReportErrorsSchema = z.object({ waiting: z.int() }).meta({ id: 'InjectedReportErrors' });
