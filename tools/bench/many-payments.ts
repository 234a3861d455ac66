import type pg from 'pg';

import { connected } from './payment-books.ts';
import type { Bench } from './section.ts';

const CHUNK = 50_000;

/**
 * Tables of a payment, with what must differ from one payment to the next: everything else is copied from one that was made
 * in the ordinary way, so that rows are as wide as real ones and no column is forgotten here.
 */
const COPIES: readonly { readonly table: string; readonly of: string; readonly with: string }[] = [
  {
    table: 'payments',
    of: 'id',
    with: `'id', own.id, 'merchant_id', 'mer_' || lpad(to_hex(n % 1000), 26, '0'), 'created_at', own.at, 'updated_at', own.at`,
  },
  { table: 'payment_events', of: 'payment_id', with: `'payment_id', own.id, 'occurred_at', own.at` },
  {
    table: 'payment_attempts',
    of: 'payment_id',
    with: `'payment_id', own.id, 'attempt_id', 'att_' || lpad(to_hex(n), 26, '0'), 'started_at', own.at`,
  },
  { table: 'publication_sequences', of: 'aggregate_id', with: `'aggregate_id', own.id` },
];

/**
 * Has the payment service's database hold so many payments, made set-based from one real one. They are of other merchants and
 * stand nowhere else: it is the size of the tables that counts here, and a stack with them passes no audit.
 */
export const fillPayments = async (bench: Bench, template: string, total: number): Promise<void> => {
  const database = await connected(bench.stack.postgres, 'payflow_payment');
  try {
    const { rows } = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM payments');
    const there = rows[0]?.count ?? 0;
    for (let from = there + 1; from <= total; from += CHUNK) {
      await copy(database, template, from, Math.min(from + CHUNK - 1, total));
      bench.progress(`${Math.min(from + CHUNK - 1, total).toLocaleString('en')} payments in the database`);
    }
    await database.query('VACUUM (ANALYZE)');
  } finally {
    await database.end();
  }
};

const copy = async (database: pg.Client, template: string, from: number, to: number): Promise<void> => {
  await database.query('BEGIN');
  for (const { table, of, with: members } of COPIES) {
    await database.query(
      `INSERT INTO ${table}
       SELECT made.* FROM generate_series($2::int, $3::int) AS n
       CROSS JOIN LATERAL (SELECT 'pay_' || lpad(to_hex(n), 26, '0') AS id,
                                  now() - make_interval(secs => 2592000 - n * 2.592) AS at) AS own
       CROSS JOIN ${table} AS origin
       CROSS JOIN LATERAL jsonb_populate_record(origin, jsonb_build_object(${members})) AS made
       WHERE origin.${of} = $1`,
      [template, from, to],
    );
  }
  await database.query('COMMIT');
};
