import { Injectable } from '@nestjs/common';
import type { ImportReportQuery, Principal, StartReconciliation } from '@payflow/contracts';
import { isId, newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { ReportSources } from '../clients/report-sources.js';
import { ReportFault } from '../reports/imported-report.js';
import { reconciliationRunView, reportView } from './reconciliation-views.js';
import { findRun } from '../store/reconciliation-runs.js';
import { ImportReport, problemOfFault } from './import-report.js';
import { bytesOf, hashOf } from '../reports/report-files.js';
import { RunReconciliation } from './run-reconciliation.js';

interface Asked {
  readonly principal: Principal;
  readonly meta: RequestMeta;
}

const LEASE_MS = 60_000;
const CREATED = 201;
const ACCEPTED = 202;
const OK = 200;

/** Runs, as people ask for them: with a file, or of a period whose report is fetched. */
@Injectable()
export class AskForReconciliation {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly sources: ReportSources,
    private readonly importing: ImportReport,
    private readonly running: RunReconciliation,
  ) {}

  /**
   * POST /reconciliation/runs
   *
   * @throws Problem reconciliation_source_not_found
   */
  async run({ principal, meta }: Asked, body: StartReconciliation): Promise<StoredAnswer> {
    const { source, from, to, graceSeconds } = body;
    this.requireSource(source);
    const identity = this.idempotency.identify({ principal, meta, body });
    const options = { resourceId: newId('rec'), leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx, id) => {
      const last = await this.running.periodAfterLast(tx, source);
      const period = {
        from: from === undefined ? last.from : new Date(from),
        to: to === undefined ? last.to : new Date(to),
      };
      if (period.from >= period.to)
        throw new Problem('report_invalid', { detail: 'The period ends before it begins.' });
      await this.running.ask(tx, { id, source, reportId: null, ...period, requestedBy: principal.id, graceSeconds });
      const row = await findRun(tx, id);
      if (row === undefined) throw new Error('invariant: a run is gone');
      return { status: ACCEPTED, body: reconciliationRunView(row) };
    });
  }

  /**
   * POST /reconciliation/reports. The file's own hash says whether it was here before, so a repetition needs no key.
   *
   * @throws Problem reconciliation_source_not_found | report_invalid | body_too_large
   */
  async file(
    { principal, meta }: Asked,
    { source, graceSeconds }: ImportReportQuery,
    body: AsyncIterable<unknown>,
  ): Promise<StoredAnswer> {
    this.requireSource(source);
    const bytes = await bytesOf(body).catch((error: unknown) => {
      throw error instanceof ReportFault ? problemOfFault(error) : error;
    });
    const content = { source, sha256: hashOf(bytes).toString('hex') };
    const identity = this.idempotency.identify({ principal, meta, body: content });
    const options = { resourceId: newId('rec'), leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx, runId) => {
      if (!isId('rec', runId)) throw new Error('invariant: the resource of an import is its run');
      const { report, isNew } = await this.importing.store(tx, { source, bytes, importedBy: principal.id }, runId);
      if (isNew) {
        const { id: reportId, from, to } = report;
        await this.running.ask(tx, { id: runId, source, reportId, from, to, requestedBy: principal.id, graceSeconds });
      }
      return { status: isNew ? CREATED : OK, body: reportView(report) };
    });
  }

  private requireSource(source: string): void {
    if (!this.sources.has(source)) throw new Problem('reconciliation_source_not_found');
  }
}
