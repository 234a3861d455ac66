import { Injectable } from '@nestjs/common';
import type { Sql } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { PaymentConfig } from '../payment.config.js';

const MS_PER_SECOND = 1_000;
const READING_VALID_MS = 10_000;

/**
 * When an authorization that is approved now ends, by the clock of the database: the one that all instances share, and
 * that the void at the end is ordered by. An instance whose own clock is hours off must not let it end early. The
 * clock is read now and then; in between the monotonic clock of the process counts on, which nobody sets back.
 */
@Injectable()
export class AuthorizationLifetime {
  private readonly lifetimeMs: number;
  private reading: { readonly databaseMs: number; readonly atMs: number } | undefined;

  constructor(@InjectConfig() config: PaymentConfig) {
    this.lifetimeMs = config.AUTHORIZATION_LIFETIME_SECONDS * MS_PER_SECOND;
  }

  async endOfOneApprovedNow(sql: Sql): Promise<Date> {
    const known = this.reading;
    const fresh = known && performance.now() - known.atMs < READING_VALID_MS;
    const { databaseMs, atMs } = fresh ? known : await this.read(sql);
    return new Date(databaseMs + (performance.now() - atMs) + this.lifetimeMs);
  }

  private async read(sql: Sql): Promise<NonNullable<AuthorizationLifetime['reading']>> {
    // Before the question and not after the answer: held up in between, it ends late and never early.
    const atMs = performance.now();
    const [row] = await sql.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    if (!row) throw new Error('invariant: the database knows the time');
    return (this.reading = { databaseMs: row.now.getTime(), atMs });
  }
}
