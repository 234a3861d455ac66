import pg from 'pg';

import type { Bench } from './section.ts';
import type { WalletOwner } from './wallet-owners.ts';

/** The databases of wallets and ledger, seen with a superuser's eyes, for the wallets of a section. */
export class WalletBooks {
  private readonly wallet: pg.Client;
  private readonly ledger: pg.Client;
  private readonly wallets: readonly string[];

  private constructor(wallet: pg.Client, ledger: pg.Client, wallets: readonly string[]) {
    this.wallet = wallet;
    this.ledger = ledger;
    this.wallets = wallets;
  }

  static async open(bench: Bench, owners: readonly WalletOwner[]): Promise<WalletBooks> {
    const [wallet, ledger] = await Promise.all([connect(bench, 'wallet'), connect(bench, 'ledger')]);
    return new WalletBooks(
      wallet,
      ledger,
      owners.flatMap(({ wallets }) => wallets),
    );
  }

  /** How many transfers from these wallets have ended well. */
  async transfers(): Promise<number> {
    const { rows } = await this.wallet.query<{ count: string }>(
      `SELECT count(*) FROM wallet_transactions WHERE type = 'TRANSFER' AND status = 'SUCCESS' AND from_wallet_id = ANY($1)`,
      [this.wallets],
    );
    return Number(rows[0]?.count);
  }

  /** What is in all of them. */
  async total(): Promise<bigint> {
    const { rows } = await this.ledger.query<{ total: string }>(
      `SELECT COALESCE(sum(balance), 0) AS total FROM accounts
        WHERE code >= 'user:' AND code < 'user;' AND split_part(code, ':', 4) = ANY($1)`,
      [this.wallets],
    );
    return BigInt(rows[0]?.total ?? 0);
  }

  /** What is wrong between transactions and ledger, or within the ledger: each a sentence. */
  async violations(): Promise<readonly string[]> {
    const pending = await this.wallet.query<{ count: string }>(
      `SELECT count(*) FROM wallet_transactions WHERE status = 'PENDING' AND from_wallet_id = ANY($1)`,
      [this.wallets],
    );
    const { rows: negative } = await this.ledger.query<{ code: string }>(
      `SELECT DISTINCT a.code FROM accounts a JOIN entries e ON e.account = a.seq
        WHERE a.code >= 'user:' AND a.code < 'user;' AND e.balance_after < 0 LIMIT 10`,
    );
    const count = Number(pending.rows[0]?.count);
    return [
      ...(count === 0 ? [] : [`${String(count)} transfers are still PENDING`]),
      ...negative.map(({ code }) => `${code} was below zero`),
    ];
  }

  async close(): Promise<void> {
    await Promise.all([this.wallet.end(), this.ledger.end()]);
  }
}

const connect = async (bench: Bench, service: string): Promise<pg.Client> => {
  const url = new URL(bench.stack.postgres);
  url.pathname = `/payflow_${service}`;
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  return client;
};
