import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { BankName } from '../domain/bank.js';
import { bankStatementOf } from '../domain/bank-statement.js';
import { type IssuedLine, type IssuedReport, type ReportError, spoil } from '../domain/issued-report.js';
import { settlementReportOf } from '../domain/settlement-report.js';
import {
  bankBalancesAt,
  endReportErrors,
  insertReport,
  listAcquirerLines,
  listBankLines,
  lockReportErrors,
  type Period,
} from '../store/issued-reports.js';

export interface Issued {
  readonly reportId: string;
  readonly content: string;
}

/** Fixed by how far a total is off: the sum shows it, whatever the lines are. */
const WRONG_TOTAL_MINOR = 100n;
/** So much of a file that was cut off has arrived. */
const PART_OF_TRUNCATED = 0.6;

/** Writes what an acquirer or the bank tells of its book, with the errors it was told to make. */
@Injectable()
export class IssueReport {
  constructor(private readonly database: Database) {}

  async ofAcquirer(acquirer: AcquirerName, period: Period): Promise<Issued> {
    return await this.database.transaction(async (tx) => {
      const lines = await listAcquirerLines(tx, acquirer, period);
      return await issue(
        tx,
        { ...period, issuer: `acquirer:${acquirer}` },
        lines,
        async (report, spoiled, totalError) =>
          Promise.resolve(settlementReportOf({ ...report, issuer: acquirer }, spoiled, totalError)),
      );
    });
  }

  async ofBank(bank: BankName, period: Period): Promise<Issued> {
    return await this.database.transaction(async (tx) => {
      const lines = await listBankLines(tx, bank, period);
      return await issue(tx, { ...period, issuer: `bank:${bank}` }, lines, async (report, spoiled, totalError) =>
        bankStatementOf(
          { ...report, issuer: bank },
          spoiled,
          await bankBalancesAt(tx, bank, period.from),
          new Date(),
          totalError,
        ),
      );
    });
  }
}

const issue = async (
  tx: Tx,
  about: Omit<IssuedReport, 'reportId'>,
  lines: readonly IssuedLine[],
  write: (report: IssuedReport, lines: readonly IssuedLine[], totalError: bigint) => Promise<string>,
): Promise<Issued> => {
  const report = { ...about, reportId: `sr-${randomUUID().slice(-20)}` };
  const { lines: spoiled, made } = spoil(lines, await lockReportErrors(tx, about.issuer));
  const whole = await write(report, spoiled, isMade(made, 'wrong_total') ? WRONG_TOTAL_MINOR : 0n);
  const content = isMade(made, 'truncated') ? whole.slice(0, Math.floor(whole.length * PART_OF_TRUNCATED)) : whole;
  await insertReport(tx, report, content, new Date());
  await endReportErrors(tx, made, report.reportId);
  return { reportId: report.reportId, content };
};

const isMade = (made: readonly ReportError[], kind: ReportError['kind']): boolean =>
  made.some((error) => error.kind === kind);
