import { setTimeout as wait } from 'node:timers/promises';

import pg from 'pg';

import type { LoadResult } from './load.ts';
import type { Bench } from './section.ts';

const SETTLE_TRIES_MAX = 200;
const SETTLE_PAUSE_MS = 100;

/** How many payments and what followed from them the databases hold. */
export class Counts {
  readonly authorized: number;
  readonly captured: number;
  /** Approved in the acquirer's own book: charged twice would be seen here. */
  readonly approvedByAcquirer: number;
  /** Payments whose acquirer has not answered. */
  readonly open: number;

  constructor(counts: Pick<Counts, 'authorized' | 'captured' | 'approvedByAcquirer' | 'open'>) {
    this.authorized = counts.authorized;
    this.captured = counts.captured;
    this.approvedByAcquirer = counts.approvedByAcquirer;
    this.open = counts.open;
  }

  minus(before: Counts): Counts {
    return new Counts({
      authorized: this.authorized - before.authorized,
      captured: this.captured - before.captured,
      approvedByAcquirer: this.approvedByAcquirer - before.approvedByAcquirer,
      open: this.open - before.open,
    });
  }

  violations(what: string, { succeededInAll }: LoadResult): readonly string[] {
    const found: string[] = [];
    const { authorized, captured, approvedByAcquirer, open } = this;
    if (authorized < succeededInAll)
      found.push(`${what}: ${String(succeededInAll)} were answered as authorized, ${String(authorized)} are`);
    if (what === 'authorize and capture' && captured < succeededInAll)
      found.push(`${what}: ${String(succeededInAll)} were answered as captured, ${String(captured)} are`);
    if (open === 0 && approvedByAcquirer !== authorized)
      found.push(`${what}: ${String(authorized)} are authorized, ${String(approvedByAcquirer)} in the acquirer's book`);
    return found;
  }
}

/** What the payment service and the acquirer have written down of some merchants' payments. */
export class PaymentBooks {
  private readonly payments: pg.Client;
  private readonly acquirer: pg.Client;
  private readonly merchantIds: readonly string[];

  private constructor(payments: pg.Client, acquirer: pg.Client, merchantIds: readonly string[]) {
    this.payments = payments;
    this.acquirer = acquirer;
    this.merchantIds = merchantIds;
  }

  static async open(bench: Bench, merchantIds: readonly string[]): Promise<PaymentBooks> {
    const [payments, acquirer] = await Promise.all([
      connected(bench.stack.postgres, 'payflow_payment'),
      connected(bench.stack.postgres, 'payflow_acquirer_sim'),
    ]);
    return new PaymentBooks(payments, acquirer, merchantIds);
  }

  /** Once nothing is under way any more, or after a while. */
  async count(): Promise<Counts> {
    let counts = await this.countNow();
    for (let attempt = 1; counts.open > 0 && attempt < SETTLE_TRIES_MAX; attempt += 1) {
      await wait(SETTLE_PAUSE_MS);
      counts = await this.countNow();
    }
    return counts;
  }

  async newest(limit: number): Promise<readonly { readonly paymentId: string; readonly merchantId: string }[]> {
    const { rows } = await this.payments.query<{ paymentId: string; merchantId: string }>(
      `SELECT id AS "paymentId", merchant_id AS "merchantId" FROM payments WHERE merchant_id = ANY ($1)
       ORDER BY created_at DESC LIMIT $2`,
      [this.merchantIds, limit],
    );
    return rows;
  }

  async close(): Promise<void> {
    await Promise.all([this.payments.end(), this.acquirer.end()]);
  }

  private async countNow(): Promise<Counts> {
    const [own, acquirer] = await Promise.all([
      this.payments.query<{ authorized: number; captured: number; open: number }>(
        `SELECT count(*) FILTER (WHERE authorized_minor > 0)::int AS authorized,
                count(*) FILTER (WHERE captured_minor > 0)::int AS captured,
                count(*) FILTER (WHERE status = 'PROCESSING')::int AS open
         FROM payments WHERE merchant_id = ANY ($1)`,
        [this.merchantIds],
      ),
      this.acquirer.query<{ approved: number }>(
        `SELECT count(*)::int AS approved FROM book
         WHERE merchant_id = ANY ($1) AND operation = 'authorize' AND outcome = 'approved'`,
        [this.merchantIds],
      ),
    ]);
    const [counted] = own.rows;
    return new Counts({
      authorized: counted?.authorized ?? 0,
      captured: counted?.captured ?? 0,
      open: counted?.open ?? 0,
      approvedByAcquirer: acquirer.rows[0]?.approved ?? 0,
    });
  }
}

export const connected = async (server: string, database: string): Promise<pg.Client> => {
  const url = new URL(server);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  return client;
};
