import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { ServiceUnavailableError } from '@payflow/clients';
import { newId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database, DatabaseUnavailableError, type Tx } from '@payflow/postgres';
import { InjectConfig, Logger, Problem, runInContext } from '@payflow/service';

import { ReportSources } from '../clients/report-sources.js';
import type { SettlementConfig } from '../settlement.config.js';
import { findSource, registerSources, takeDueSources } from '../store/reconciliation-sources.js';
import { endRun, insertRun, type NewRun, postponeRun, type RunRow, takeDueRun } from '../store/reconciliation-runs.js';
import { CompareBooks, RUN_LEASE_MS } from './compare-books.js';

const POLL_MS = 1_000;
const RETRY_MS = 30_000;
const MINUTE_MS = 60_000;
/** Reports overlap by so much: what the other side entered late, with an earlier time, is in the next one. */
const OVERLAP_MS = 600_000;

/** A report that says this will say it again: the run ends. */
const UNUSABLE: ReadonlySet<string> = new Set(['report_invalid', 'body_too_large']);

/**
 * The runs that compare our books with the others'. They are rows: a schedule, people and uploads ask for them, of all instances
 * one has a run in hand, and what a dead one left is taken up after its lease.
 */
@Injectable()
export class RunReconciliation implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly comparing: CompareBooks,
    private readonly sources: ReportSources,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {
    this.loop = new Loop('reconciliation runs', logger, POLL_MS, async () => await this.pass());
  }

  async onApplicationBootstrap(): Promise<void> {
    await registerSources(this.database, this.sources.names, this.nextSlot());
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** A run that somebody asks for: of a report that is here, or to be fetched. */
  async ask(
    tx: Tx,
    asked: Omit<NewRun, 'graceSeconds' | 'createdAt'> & { readonly graceSeconds?: number | undefined },
  ): Promise<void> {
    const graceSeconds = asked.graceSeconds ?? this.config.RECONCILIATION_GRACE_SECONDS;
    await insertRun(tx, { ...asked, graceSeconds, createdAt: new Date() });
    tx.onCommit(() => {
      this.loop.poke();
    });
  }

  /** From where the last report ended, up to now. */
  async periodAfterLast(tx: Tx, source: string): Promise<{ readonly from: Date; readonly to: Date }> {
    const to = new Date();
    const { coveredUntil = null } = (await findSource(tx, source)) ?? {};
    const from = coveredUntil?.getTime() ?? to.getTime() - this.everyMs;
    return { from: new Date(Math.min(from, to.getTime()) - OVERLAP_MS), to };
  }

  /** Starts the runs whose time has come; any number of instances may tick. */
  @Cron(CronExpression.EVERY_MINUTE)
  async tick(): Promise<void> {
    try {
      await this.database.transaction(async (tx) => {
        for (const source of await takeDueSources(tx, this.sources.names, new Date(), this.nextSlot())) {
          const period = await this.periodAfterLast(tx, source);
          await this.ask(tx, { id: newId('rec'), source, reportId: null, ...period, requestedBy: 'svc_settlement' });
        }
      });
    } catch (error) {
      this.logger.warn({ err: error }, 'reconciliation runs could not be started; the next minute tries again');
    }
  }

  private get everyMs(): number {
    return this.config.RECONCILIATION_EVERY_MINUTES * MINUTE_MS;
  }

  private nextSlot(): Date {
    return new Date((Math.floor(Date.now() / this.everyMs) + 1) * this.everyMs);
  }

  /** @returns whether another run may wait */
  private async pass(): Promise<boolean> {
    const run = await this.database.transaction(async (tx) => await takeDueRun(tx, RUN_LEASE_MS));
    if (run === undefined) return false;
    await runInContext({ requestId: run.id }, async () => {
      await this.finish(run);
    });
    return true;
  }

  private async finish(run: RunRow): Promise<void> {
    try {
      await this.comparing.run(run, () => this.loop.isStopping);
    } catch (error) {
      if (error instanceof Problem && UNUSABLE.has(error.code)) {
        await this.fail(run, error.detail ?? error.message);
        return;
      }
      const away = error instanceof ServiceUnavailableError || error instanceof DatabaseUnavailableError;
      const about = { err: error, runId: run.id };
      if (away) this.logger.warn(about, 'a reconciliation run waits for the other side');
      else this.logger.error(about, 'a reconciliation run failed and is repeated');
      await postponeRun(this.database, run, RETRY_MS);
    }
  }

  private async fail(run: RunRow, failure: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      await endRun(tx, run, failure, new Date());
    });
  }
}
