import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { noteKeyOf, type NoteKey } from '@payflow/ledger-proof';
import { Database } from '@payflow/postgres';
import { Health, InjectConfig, Logger, Metrics } from '@payflow/service';
import { Gauge } from 'prom-client';

import type { LedgerConfig } from '../ledger.config.js';
import { growTree, type Growth, TreeFaultError } from './grow-tree.js';

const INTERVAL_MS = 1_000;

/**
 * Lets the tree follow the journal, once a second, as far as the journal has come; of several instances one does. What it cannot
 * vouch for it does not sign: it stops, and health and metrics say so until a restart finds that it fits again.
 */
@Injectable()
export class JournalTree implements OnApplicationBootstrap, OnModuleDestroy {
  readonly key: NoteKey;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isClosing = false;
  private fault: TreeFaultError | undefined;
  private readonly behind: Gauge;
  private readonly faulty: Gauge;

  constructor(
    @InjectConfig() config: LedgerConfig,
    private readonly database: Database,
    private readonly logger: Logger,
    health: Health,
    metrics: Metrics,
  ) {
    this.key = noteKeyOf(config.CHECKPOINT_ORIGIN, config.CHECKPOINT_KEY);
    const registers = [metrics];
    this.behind = new Gauge({
      name: 'payflow_ledger_tree_behind_transactions',
      help: 'Transactions of the journal that no signed checkpoint covers yet.',
      registers,
    });
    this.faulty = new Gauge({
      name: 'payflow_ledger_tree_fault',
      help: '1 when the tree does not fit its checkpoints or the journal, and nothing is signed any more.',
      registers,
    });
    health.inform('tree', () => (this.fault === undefined ? 'up' : `stopped: ${this.fault.message}`));
  }

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async onModuleDestroy(): Promise<void> {
    this.isClosing = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(): void {
    if (this.isClosing || this.fault !== undefined) return;
    this.timer = setTimeout(() => {
      this.running = this.follow().then(() => {
        this.schedule();
      });
    }, INTERVAL_MS).unref();
  }

  /** Never rejects. */
  private async follow(): Promise<void> {
    try {
      for (;;) {
        const growth: Growth | undefined = this.isClosing ? undefined : await growTree(this.database, this.key);
        if (growth === undefined) return;
        this.behind.set(growth.behind);
        if (growth.behind === 0) return;
      }
    } catch (error) {
      if (error instanceof TreeFaultError) this.stopAt(error);
      // Nothing is lost: the journal is there, and the tree follows it when it can.
      else this.logger.warn({ err: error }, 'the tree did not grow');
    }
  }

  private stopAt(fault: TreeFaultError): void {
    this.fault = fault;
    this.faulty.set(1);
    this.logger.error({ err: fault }, 'the tree does not fit: no checkpoint is signed any more');
  }
}
