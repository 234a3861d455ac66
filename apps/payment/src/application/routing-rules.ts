import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { RoutingRulesResponse } from '@payflow/contracts';
import { Database, type Sql } from '@payflow/postgres';
import { InjectConfig, Logger } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';
import { findRoutingRules, type RoutingRulesRow } from '../store/routing-rules.js';

/** A change holds on every instance within a second: this, and the time of one query. */
const REFRESH_MS = 500;

/**
 * The routing rules that hold, in memory: an authorization must not pay a query for what changes once a week. Rules are
 * only ever added, so a version says everything and a late reader never goes back.
 */
@Injectable()
export class RoutingRulesCache implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private held: RoutingRulesRow | undefined;
  private known = false;
  private timer: NodeJS.Timeout | undefined;
  private refreshing: Promise<void> = Promise.resolve();
  private stopped = false;
  private failing = false;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.refreshing;
  }

  /** As they were known half a second ago at most; after the start they are read once. */
  async current(): Promise<RoutingRulesResponse> {
    if (!this.known) await this.refresh(this.database);
    return this.viewOf(this.held);
  }

  /** As they are now. */
  async latest(sql: Sql): Promise<RoutingRulesResponse> {
    return this.viewOf(await findRoutingRules(sql, 0n));
  }

  /** Learns of a version that is committed. */
  learn(row: RoutingRulesRow): void {
    if (!this.held || row.version > this.held.version) this.held = row;
  }

  viewOf(row: RoutingRulesRow | undefined): RoutingRulesResponse {
    if (!row)
      return {
        version: 0,
        rules: [],
        otherwise: Object.keys(this.config.ACQUIRERS),
        disabled: [],
        createdAt: null,
        createdBy: null,
      };
    const { rules, otherwise, disabled } = row.rules;
    const createdAt = row.created_at.toISOString();
    return { version: Number(row.version), rules, otherwise, disabled, createdAt, createdBy: row.created_by };
  }

  private async refresh(sql: Sql): Promise<void> {
    const row = await findRoutingRules(sql, this.held?.version ?? 0n);
    if (row) this.learn(row);
    this.known = true;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.refreshing = this.refreshQuietly().then(() => {
        this.schedule();
      });
    }, REFRESH_MS);
  }

  /** The database may be away. The rules known so far hold on: no payment can be written meanwhile anyway. */
  private async refreshQuietly(): Promise<void> {
    try {
      await this.refresh(this.database);
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.logger.warn({ err: error }, 'routing rules could not be read; the last ones hold');
      this.failing = true;
    }
  }
}
