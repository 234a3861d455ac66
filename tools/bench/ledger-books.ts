import pg from 'pg';
import { typeid } from 'typeid-js';

import type { Bench } from './section.ts';

/** The ledger's own database, seen with a superuser's eyes: to open many accounts at once, and to check the books. */
export class LedgerBooks {
  private readonly client: pg.Client;

  private constructor(client: pg.Client) {
    this.client = client;
  }

  static async open(bench: Bench): Promise<LedgerBooks> {
    const url = new URL(bench.stack.postgres);
    url.pathname = '/payflow_ledger';
    const client = new pg.Client({ connectionString: url.toString() });
    await client.connect();
    return new LedgerBooks(client);
  }

  /** Opens `{prefix}0 … {prefix}{count − 1}` as the service would, set-based. */
  async openAccounts(prefix: string, count: number): Promise<void> {
    const numbers = Array.from({ length: count }, (_, index) => index);
    await this.client.query(
      `INSERT INTO accounts (id, code, currency) SELECT id, code, 'USD' FROM unnest($1::text[], $2::text[]) AS n (id, code)`,
      [numbers.map(() => typeid('acc').toString()), numbers.map((number) => `${prefix}${String(number)}`)],
    );
    await this.client.query('ANALYZE accounts');
  }

  /** How many transactions there are whose references begin so. */
  async countOf(referencePrefix: string): Promise<number> {
    const { rows } = await this.client.query<{ count: string }>(
      'SELECT count(*) FROM transactions WHERE reference >= $1 AND reference < $2',
      [referencePrefix, `${referencePrefix}~`],
    );
    return Number(rows[0]?.count);
  }

  /**
   * What is wrong with the books: debits against credits, the balance of each account against its entries, and each entry's
   * balance against the one before it.
   */
  async violations(): Promise<readonly string[]> {
    const { rows } = await this.client.query<{ sentence: string }>(`
      SELECT format('debits and credits in %s differ by %s', currency, sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END))
               AS sentence
        FROM entries GROUP BY currency HAVING sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END) <> 0
      UNION ALL
      SELECT format('the balances of all accounts in %s add up to %s, not 0', currency, sum(balance))
        FROM accounts GROUP BY currency HAVING sum(balance) <> 0
      UNION ALL
      (SELECT format('account %s has balance %s and %s entries; its entries say %s and %s', a.code, a.balance, a.entry_count,
                    COALESCE(e.balance, 0), COALESCE(e.entries, 0))
        FROM accounts a
        LEFT JOIN (SELECT account, sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END) AS balance, count(*) AS entries
                     FROM entries GROUP BY account) AS e ON e.account = a.seq
       WHERE a.balance <> COALESCE(e.balance, 0) OR a.entry_count <> COALESCE(e.entries, 0)
       LIMIT 10)
      UNION ALL
      (SELECT format('entry %s says %s after it; the entries up to it say %s', id, balance_after, running)
        FROM (SELECT id, balance_after, sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END)
                       OVER (PARTITION BY account ORDER BY recorded_at, position, line) AS running FROM entries) AS e
       WHERE balance_after <> running
       LIMIT 10)
      UNION ALL
      SELECT format('the journal''s head is at %s, its transactions at %s', h.position, t.position)
        FROM journal_head h, (SELECT COALESCE(max(position), 0) AS position, count(*) AS count FROM transactions) AS t
       WHERE h.position <> t.position OR t.position <> t.count`);
    return rows.map(({ sentence }) => sentence);
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
