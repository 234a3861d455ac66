import { Injectable } from '@nestjs/common';
import { isId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import { ReportSources } from '../clients/report-sources.js';
import { ReportFault } from '../reports/imported-report.js';
import {
  type Chunk,
  type Difference,
  listMissingThere,
  matchChunk,
  nextChunk,
  reopenKnown,
} from '../store/matching.js';
import { countInRun, endRun, holdRun, postponeRun, type RunRow, setReportOfRun } from '../store/reconciliation-runs.js';
import { closeSettled, type ExceptionRow, insertExceptions } from '../store/settlement-exceptions.js';
import { ImportReport, problemOfFault } from './import-report.js';
import { exceptionEvent } from './reconciliation-events.js';

/** Longer than a step takes, fetching and reading in included. */
export const RUN_LEASE_MS = 120_000;
const LINES_PER_STEP = 5_000;
const MS_PER_SECOND = 1_000;

/** Somebody else has taken the run up. */
class RunLostError extends Error {
  override readonly name = 'RunLostError';
}

/**
 * One run, step by step, each step a transaction that holds the run: fetch the report where it is not here, compare what has not
 * been compared, close what is settled, raise what is missing there. Every step leaves its marks on the lines, so a run that was
 * interrupted goes on, and one that is done again finds nothing to do.
 */
@Injectable()
export class CompareBooks {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly sources: ReportSources,
    private readonly importing: ImportReport,
  ) {}

  /** @throws Problem report_invalid | ServiceUnavailableError */
  async run(run: RunRow, isStopping: () => boolean): Promise<void> {
    try {
      const reportId = run.reportId ?? (await this.fetched(run));
      await this.step(run, async (tx) => {
        await reopenKnown(tx, run.source);
        return false;
      });
      let chunk: Chunk | undefined;
      const stopped = await this.repeat(run, isStopping, async (tx) => {
        chunk = await nextChunk(tx, run.source, chunk, LINES_PER_STEP);
        if (chunk === undefined) return false;
        await this.compare(tx, run, chunk);
        return true;
      });
      if (stopped) return;
      await this.step(run, async (tx) => await this.close(tx, run, reportId));
      if (await this.repeat(run, isStopping, async (tx) => await this.raiseMissingThere(tx, run))) return;
      await this.step(run, async (tx) => {
        await endRun(tx, run, null, new Date());
        return false;
      });
    } catch (error) {
      if (!(error instanceof RunLostError)) throw error;
    }
  }

  /** @returns whether the process is stopping; the run is given back then */
  private async repeat(run: RunRow, isStopping: () => boolean, work: (tx: Tx) => Promise<boolean>): Promise<boolean> {
    while (await this.step(run, work)) {
      if (!isStopping()) continue;
      await postponeRun(this.database, run, 0);
      return true;
    }
    return false;
  }

  private async step(run: RunRow, work: (tx: Tx) => Promise<boolean>): Promise<boolean> {
    return await this.database.transaction(async (tx) => {
      if (!(await holdRun(tx, run, RUN_LEASE_MS))) throw new RunLostError();
      return await work(tx);
    });
  }

  private async fetched(run: RunRow): Promise<string> {
    const { id, source, from, to } = run;
    if (from === null || to === null || !isId('rec', id)) throw new Error(`invariant: ${id} has no period`);
    const bytes = await this.sources.fetch(source, from, to).catch((error: unknown) => {
      throw error instanceof ReportFault ? problemOfFault(error) : error;
    });
    return await this.database.transaction(async (tx) => {
      if (!(await holdRun(tx, run, RUN_LEASE_MS))) throw new RunLostError();
      const { report } = await this.importing.store(tx, { source, bytes, importedBy: run.requestedBy }, id);
      await setReportOfRun(tx, id, report.id, report.from, report.to);
      return report.id;
    });
  }

  private async compare(tx: Tx, run: RunRow, chunk: Chunk): Promise<void> {
    const youngAt = new Date(Date.now() - run.graceSeconds * MS_PER_SECOND);
    const { matched, differences } = await matchChunk(tx, chunk, youngAt);
    const opened = await this.raise(tx, run, differences);
    await countInRun(tx, run.id, { matched, opened: opened.length });
    crashPoint('reconciliation.chunk-compared');
  }

  private async close(tx: Tx, run: RunRow, reportId: string): Promise<boolean> {
    const closed = await closeSettled(tx, run.source, reportId, new Date());
    await countInRun(tx, run.id, { closed: closed.length });
    await this.tell(tx, closed);
    return false;
  }

  private async raiseMissingThere(tx: Tx, run: RunRow): Promise<boolean> {
    const missing = await listMissingThere(tx, run.source, run.graceSeconds, LINES_PER_STEP);
    const opened = await this.raise(tx, run, missing);
    await countInRun(tx, run.id, { opened: opened.length });
    return missing.length === LINES_PER_STEP;
  }

  private async raise(tx: Tx, run: RunRow, differences: readonly Difference[]): Promise<readonly ExceptionRow[]> {
    const opened = await insertExceptions(tx, run.source, run.id, differences, new Date());
    await this.tell(tx, opened);
    return opened;
  }

  private async tell(tx: Tx, rows: readonly ExceptionRow[]): Promise<void> {
    const at = new Date();
    await this.outbox.publish(
      tx,
      rows.map((row) => exceptionEvent(row, at)),
    );
  }
}
