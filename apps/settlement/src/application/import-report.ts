import { Injectable } from '@nestjs/common';
import { type Id, newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';
import { crashPoint, Problem } from '@payflow/service';

import { ReportFault, requirePast, requirePastLines } from '../reports/imported-report.js';
import {
  findReportByHash,
  insertReport,
  insertReportLines,
  lockSource,
  type ReportRow,
} from '../store/imported-reports.js';
import { widenCoverage } from '../store/reconciliation-sources.js';
import { hashOf, readReport } from '../reports/report-files.js';

export interface FileToImport {
  readonly source: string;
  readonly bytes: Buffer;
  readonly importedBy: string;
}

/** A report, stored in this transaction or found: the same file was read in before. */
export interface Stored {
  readonly report: ReportRow;
  readonly isNew: boolean;
}

/**
 * Reads a file in, whole or not at all: its lines and the report are in one transaction, so a process
 * that dies in the middle leaves nothing, and the same file is simply sent again.
 */
@Injectable()
export class ImportReport {
  /** In the caller's transaction. @throws Problem report_invalid */
  async store(tx: Tx, file: FileToImport, runId: Id<'rec'>): Promise<Stored> {
    const sha256 = hashOf(file.bytes);
    try {
      await lockSource(tx, file.source);
      const before = await findReportByHash(tx, file.source, sha256);
      if (before !== undefined) return { report: before, isNew: false };
      return { report: await store(tx, file, sha256, runId), isNew: true };
    } catch (error) {
      throw error instanceof ReportFault ? problemOfFault(error) : error;
    }
  }
}

const store = async (
  tx: Tx,
  { source, bytes, importedBy }: FileToImport,
  sha256: Buffer,
  runId: Id<'rec'>,
): Promise<ReportRow> => {
  const id = newId('rep');
  const createdAt = new Date();
  const reading = readReport(source, bytes);
  let step = await reading.next();
  while (step.done !== true) {
    requirePastLines(step.value, createdAt);
    await insertReportLines(tx, id, source, step.value);
    crashPoint('reconciliation.lines-stored');
    step = await reading.next();
  }
  const summary = step.value;
  requirePast(summary, createdAt);
  const report: ReportRow = {
    ...summary,
    id,
    source,
    sha256,
    totals: summary.totals.map(({ currency, count, amountMinor, feeMinor }) => ({
      currency,
      count,
      amount: amountMinor.toString(),
      fee: feeMinor.toString(),
    })),
    importedBy,
    runId,
    createdAt,
  };
  await insertReport(tx, report);
  await widenCoverage(tx, source, summary.from, summary.to);
  return report;
};

export const problemOfFault = ({ code, message, line }: ReportFault): Problem =>
  code === 'too_large'
    ? new Problem('body_too_large', { detail: capitalized(message) })
    : new Problem('report_invalid', {
        detail: capitalized(line === undefined ? message : `line ${line}: ${message}`),
        errors: [{ pointer: line === undefined ? 'file' : `line:${line}`, code, message }],
      });

const capitalized = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
