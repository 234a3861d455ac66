import type { ReconciliationReport, ReconciliationRun, SettlementException } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';

import type { CorrectionRow } from '../store/corrections.js';
import type { ReportRow } from '../store/imported-reports.js';
import type { RunRow } from '../store/reconciliation-runs.js';
import type { ExceptionRow } from '../store/settlement-exceptions.js';

export const reportView = (row: ReportRow): ReconciliationReport => ({
  reportId: row.id,
  source: row.source,
  theirId: row.theirId,
  sha256: row.sha256.toString('hex'),
  from: row.from.toISOString(),
  to: row.to.toISOString(),
  lineCount: row.lineCount,
  totals: row.totals.map(({ currency, count, amount, fee }) => ({
    currency,
    count,
    amount: minorToJson(BigInt(amount)),
    fee: minorToJson(BigInt(fee)),
  })),
  importedBy: row.importedBy,
  createdAt: row.createdAt.toISOString(),
  runId: row.runId,
});

export const reconciliationRunView = (row: RunRow): ReconciliationRun => ({
  runId: row.id,
  source: row.source,
  status: row.status,
  reportId: row.reportId,
  from: row.from?.toISOString() ?? null,
  to: row.to?.toISOString() ?? null,
  linesMatched: row.linesMatched,
  exceptionsOpened: row.exceptionsOpened,
  exceptionsClosed: row.exceptionsClosed,
  failure: row.failure,
  requestedBy: row.requestedBy,
  createdAt: row.createdAt.toISOString(),
  finishedAt: row.finishedAt?.toISOString() ?? null,
});

export const exceptionView = (row: ExceptionRow, corrections: readonly CorrectionRow[]): SettlementException => ({
  exceptionId: row.id,
  kind: row.kind,
  status: row.status,
  source: row.source,
  runId: row.runId,
  reportId: row.reportId,
  line: row.line,
  type: row.type,
  reference: row.reference,
  theirReference: row.theirReference,
  merchantId: row.merchantId,
  paymentId: row.paymentId,
  expected: row.expectedMinor === null ? null : minorToJson(row.expectedMinor),
  expectedCurrency: row.expectedCurrency,
  actual: row.actualMinor === null ? null : minorToJson(row.actualMinor),
  currency: row.currency,
  assignedTo: row.assignedTo,
  resolution: row.resolution,
  resolvedBy: row.resolvedBy,
  resolvedAt: row.resolvedAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  corrections: corrections.filter(({ exceptionId }) => exceptionId === row.id).map(correctionView),
});

const correctionView = (row: CorrectionRow): SettlementException['corrections'][number] => ({
  correctionId: row.id,
  status: row.status,
  postings: row.postings.map(({ from, to, amount, currency }) => ({ from, to, amount, currency })),
  reason: row.reason,
  proposedBy: row.proposedBy,
  proposedAt: row.proposedAt.toISOString(),
  decidedBy: row.decidedBy,
  decidedAt: row.decidedAt?.toISOString() ?? null,
  ledgerTransactionId: row.ledgerTransactionId,
  failure: row.failure,
});
