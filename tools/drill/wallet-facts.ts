import type { Databases, Row } from './databases.ts';
import type { WalletOperationKind } from './operation.ts';

/** A wallet transaction, or a hold that somebody set aside himself, as the wallet service has it. */
export interface WalletFact {
  readonly id: string;
  readonly kind: Exclude<WalletOperationKind, 'void'>;
  /** PENDING, SUCCESS or FAILED; of a hold: PENDING, PLACED, CONFIRMED, VOIDED, EXPIRED or FAILED. */
  readonly status: string;
  readonly amount: number;
  readonly fromWalletId: string | null;
  readonly toWalletId: string | null;
}

export interface WalletFacts {
  readonly transactions: readonly WalletFact[];
  readonly holds: readonly WalletFact[];
  /** Of the transactions those with a posting in the ledger under their reference, as often as it is there. */
  readonly posted: readonly string[];
  /** What the ledger has on these wallets' accounts, what is held included. */
  readonly balance: number;
  /** What a bank or the ledger has said that cannot be. */
  readonly contradictions: readonly string[];
}

/** What the wallet service and the ledger say about these wallets. */
export const readWalletFacts = async (databases: Databases, walletIds: readonly string[]): Promise<WalletFacts> => {
  const transactions = await databases.query(
    'wallet',
    `SELECT id, CASE WHEN type <> 'TRANSFER' THEN lower(type) WHEN hold_id IS NULL THEN 'transfer' ELSE 'confirm' END AS kind,
            status, amount_minor, from_wallet_id, to_wallet_id
       FROM wallet_transactions WHERE from_wallet_id = ANY ($1) OR to_wallet_id = ANY ($1)`,
    [walletIds],
  );
  const holds = await databases.query(
    'wallet',
    `SELECT id, 'hold' AS kind, status, amount_minor, wallet_id AS from_wallet_id, NULL AS to_wallet_id
       FROM wallet_holds WHERE wallet_id = ANY ($1) AND payment_id IS NULL`,
    [walletIds],
  );
  const posted = await databases.query(
    'ledger',
    `SELECT substr(reference, 8) AS id FROM transactions WHERE reference = ANY ($1)`,
    [transactions.map(({ id }) => `wallet:${String(id)}`)],
  );
  const [balance] = await databases.query(
    'ledger',
    `SELECT coalesce(sum(balance), 0) AS balance FROM accounts
      WHERE code LIKE 'user:%' AND split_part(code, ':', 4) = ANY ($1)`,
    [walletIds],
  );
  const contradictions = await databases.query(
    'wallet',
    `SELECT transaction_id, detail FROM wallet_exceptions WHERE kind = 'contradiction' AND resolved_at IS NULL`,
  );
  return {
    transactions: transactions.map(factOf),
    holds: holds.map(factOf),
    posted: posted.map(({ id }) => String(id)),
    balance: Number(balance?.['balance']),
    contradictions: contradictions.map((row) => `${String(row['transaction_id'])}: ${String(row['detail'])}`),
  };
};

const factOf = (row: Row): WalletFact => ({
  id: String(row['id']),
  kind: row['kind'] as WalletFact['kind'],
  status: String(row['status']),
  amount: Number(row['amount_minor']),
  fromWalletId: textIn(row, 'from_wallet_id'),
  toWalletId: textIn(row, 'to_wallet_id'),
});

const textIn = (row: Row, column: string): string | null => {
  const value = row[column];
  return typeof value === 'string' ? value : null;
};
