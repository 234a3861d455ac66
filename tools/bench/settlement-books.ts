import type pg from 'pg';
import { typeid } from 'typeid-js';

import { call, until } from './call.ts';
import { LedgerBooks } from './ledger-books.ts';
import { newMerchants } from './merchants.ts';
import { connected } from './payment-books.ts';
import type { Bench } from './section.ts';

const CHUNK = 20_000;
const HEARD_WITHIN_MS = 60_000;
const CARD = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' };

/**
 * Tables of a payment service's payment that settling it reads or writes, copied from one that was made in the ordinary way. What it
 * has published is not copied: to everybody else such a payment begins with `payment.settled`.
 */
const COPIES: readonly { readonly table: string; readonly of: string; readonly with: string }[] = [
  { table: 'payments', of: 'id', with: `'id', own.id, 'merchant_id', own.merchant_id` },
  { table: 'payment_events', of: 'payment_id', with: `'payment_id', own.id` },
];

/** Captured payments to be settled, set-based, and what the databases say of them afterwards. */
export class SettlementBooks {
  private readonly payment: pg.Client;
  private readonly settlement: pg.Client;
  private readonly ledger: pg.Client;
  private readonly journal: LedgerBooks;
  private readonly template: string;

  private constructor(
    databases: { readonly payment: pg.Client; readonly settlement: pg.Client; readonly ledger: pg.Client },
    journal: LedgerBooks,
    template: string,
  ) {
    this.payment = databases.payment;
    this.settlement = databases.settlement;
    this.ledger = databases.ledger;
    this.journal = journal;
    this.template = template;
  }

  static async open(bench: Bench): Promise<SettlementBooks> {
    const { postgres } = bench.stack;
    const [payment, settlement, ledger, journal] = await Promise.all([
      connected(postgres, 'payflow_payment'),
      connected(postgres, 'payflow_settlement'),
      connected(postgres, 'payflow_ledger'),
      LedgerBooks.open(bench),
    ]);
    return new SettlementBooks({ payment, settlement, ledger }, journal, await capturedPayment(bench, settlement));
  }

  async close(): Promise<void> {
    await Promise.all([this.payment.end(), this.settlement.end(), this.ledger.end(), this.journal.close()]);
  }

  /**
   * So many captured payments of new merchants, in payment and in their balances, and nowhere else: the ledger has not heard of
   * their captures, so a stack with them passes no audit.
   *
   * @returns the merchants
   */
  async fill(payments: number, merchants: number): Promise<readonly string[]> {
    const merchantIds = Array.from({ length: merchants }, () => typeid('mer').toString());
    for (let from = 0; from < payments; from += CHUNK) {
      const ids = Array.from({ length: Math.min(CHUNK, payments - from) }, () => typeid('pay').toString());
      const own = [ids, ids.map((_, index) => merchantIds[(from + index) % merchants])];
      for (const { table, of, with: members } of COPIES) {
        await this.payment.query(
          `INSERT INTO ${table}
           SELECT made.* FROM unnest($2::text[], $3::text[]) AS own (id, merchant_id)
           CROSS JOIN ${table} AS origin
           CROSS JOIN LATERAL jsonb_populate_record(origin, jsonb_build_object(${members})) AS made
           WHERE origin.${of} = $1`,
          [this.template, ...own],
        );
      }
      await this.settlement.query(
        `INSERT INTO balance_transactions (id, merchant_id, currency, acquirer, type, gross_minor, fee_minor, payment_id, sequence,
                                           reference, acquirer_reference, occurred_at, available_on)
         SELECT 'bt_' || right(own.id, 26), own.merchant_id, o.currency, o.acquirer, o.type, o.gross_minor, o.fee_minor, own.id,
                o.sequence, 'cap_' || right(own.id, 26), o.acquirer_reference, o.occurred_at, o.available_on
           FROM unnest($2::text[], $3::text[]) AS own (id, merchant_id) CROSS JOIN balance_transactions AS o
          WHERE o.payment_id = $1`,
        [this.template, ...own],
      );
    }
    await this.settlement.query(
      `INSERT INTO merchant_balances (merchant_id, currency, pending_minor)
       SELECT merchant_id, currency, sum(net_minor) FROM balance_transactions WHERE merchant_id = ANY($1) GROUP BY 1, 2`,
      [merchantIds],
    );
    await this.payment.query('VACUUM (ANALYZE) payments, payment_events');
    await this.settlement.query('VACUUM (ANALYZE) balance_transactions, merchant_balances');
    return merchantIds;
  }

  /** Behind everything that the ledger has now. */
  async journalEnd(): Promise<string> {
    const { rows } = await this.ledger.query<{ end: string }>(
      'SELECT coalesce(max(position), 0) AS end FROM transactions',
    );
    return rows[0]?.end ?? '0';
  }

  /** How many payments of these merchants the ledger has posted as settled, behind that place. */
  async postedSince(end: string, merchantIds: readonly string[]): Promise<number> {
    const { rows } = await this.ledger.query<{ count: string }>(
      `SELECT count(DISTINCT payment_id) FROM transactions WHERE position > $1 AND merchant_id = ANY($2) AND type = 'SETTLEMENT'`,
      [end, merchantIds],
    );
    return Number(rows[0]?.count);
  }

  /** What is wrong with the batches of these merchants, with their balances and payouts, and with what followed from them. */
  async violations(runId: string, merchantIds: readonly string[], payments: number): Promise<readonly string[]> {
    const { rows } = await this.settlement.query<{ sentence: string }>(
      `WITH own AS (SELECT * FROM unnest($2::text[]) AS m (merchant_id)),
            lines AS (SELECT settlement_id, count(*) AS count, sum(gross_minor) AS gross, sum(fee_minor) AS fee
                        FROM balance_transactions JOIN own USING (merchant_id) WHERE payment_id IS NOT NULL GROUP BY 1)
       SELECT format('%s payments are in no batch', count) AS sentence FROM lines WHERE settlement_id IS NULL
       UNION ALL
       SELECT format('batch %s has %s lines of %s and says %s of %s', s.id, l.count, l.gross, s.line_count, s.gross_minor)
         FROM settlements s JOIN own USING (merchant_id) LEFT JOIN lines l ON l.settlement_id = s.id
        WHERE (l.count, l.gross, l.fee, s.status, s.run_id) IS DISTINCT FROM
              (s.line_count, s.gross_minor, s.fees_minor, 'COMPLETED', $1)
       UNION ALL
       SELECT format('%s payments are settled, not %s', sum(count), $3::int) FROM lines
        HAVING sum(count) IS DISTINCT FROM $3::int
       UNION ALL
       SELECT format('the balance of %s says %s pending, %s available, after payouts of %s of %s', b.merchant_id, b.pending_minor,
                     b.available_minor, p.paid, t.net)
         FROM merchant_balances b JOIN own USING (merchant_id)
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0) AS paid FROM payouts WHERE merchant_id = b.merchant_id) AS p
        CROSS JOIN LATERAL (SELECT sum(net_minor) AS net FROM balance_transactions
                             WHERE merchant_id = b.merchant_id AND payment_id IS NOT NULL) AS t
        WHERE b.pending_minor <> 0 OR b.available_minor <> 0 OR p.paid <> t.net
       LIMIT 10`,
      [runId, merchantIds, payments],
    );
    const told = await this.payment.query<{ count: string; payments: string }>(
      `SELECT count(*), count(DISTINCT payment_id) AS payments
         FROM payment_settlements JOIN payments ON id = payment_id WHERE merchant_id = ANY($1)`,
      [merchantIds],
    );
    const [{ count, payments: distinct } = { count: '0', payments: '0' }] = told.rows;
    return [
      ...rows.map(({ sentence }) => sentence),
      ...(Number(count) === payments && Number(distinct) === payments
        ? []
        : [`payment has settled ${distinct} of ${String(payments)} payments, ${count} times in all`]),
      ...(await this.journal.violations()),
    ];
  }
}

/** One that was made in the ordinary way, and has come to the balances. */
const capturedPayment = async ({ stack }: Bench, settlement: pg.Client): Promise<string> => {
  const [merchant] = await newMerchants(stack, 1);
  const { paymentId } = await call<{ paymentId: string }>(
    'POST',
    `${stack.gateway}/payments/authorize`,
    merchant?.token,
    { amount: 1_000, currency: 'USD', capture: true, paymentMethod: { type: 'card', card: CARD } },
  );
  return await until('The capture of the first payment', HEARD_WITHIN_MS, async () => {
    const { rowCount } = await settlement.query('SELECT FROM balance_transactions WHERE payment_id = $1', [paymentId]);
    return rowCount === 1 ? paymentId : undefined;
  });
};
