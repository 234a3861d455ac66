import type { Currency } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

import type { Account } from '../domain/journal.js';
import { textArray } from './arrays.js';

export interface AccountRow {
  readonly seq: bigint;
  readonly id: string;
  readonly code: string;
  readonly currency: string;
  readonly floor: bigint | null;
  readonly balance: bigint;
  readonly entry_count: bigint;
  readonly merchant_id: string | null;
  readonly created_at: Date;
}

const COLUMNS = 'seq, id, code, currency, floor, balance, entry_count, merchant_id, created_at';

/**
 * Every account that one of the names could mean: by code in all its currencies, or by id. A committer reads them under the
 * journal head's lock. Nothing changes a balance without that lock, so the rows need none of their own.
 */
export const findAccountsByName = async (sql: Sql, names: readonly string[]): Promise<readonly Account[]> => {
  const rows = await sql.query<Pick<AccountRow, 'seq' | 'id' | 'code' | 'currency' | 'floor' | 'balance'>>(
    // A look-up each, by the index, whatever size the table had when the plan was made.
    `SELECT a.* FROM unnest($1::text[]) AS wanted (name)
      CROSS JOIN LATERAL (
        SELECT seq, id, code, currency, floor, balance FROM accounts WHERE code = wanted.name
         UNION ALL
        SELECT seq, id, code, currency, floor, balance FROM accounts WHERE id = wanted.name
        OFFSET 0) AS a`,
    [textArray(names, (name) => name)],
  );
  return rows.map((row) => ({
    seq: row.seq,
    accountId: row.id,
    code: row.code,
    currency: row.currency as Currency,
    floorMinor: row.floor,
    balanceMinor: row.balance,
  }));
};

export interface NewAccount {
  readonly accountId: string;
  readonly code: string;
  readonly currency: string;
  readonly floorMinor: bigint | null;
}

/** Opens accounts; those whose code and currency are taken are left as they are. Returns the ones it opened. */
export const insertAccounts = async (tx: Tx, accounts: readonly NewAccount[]): Promise<readonly AccountRow[]> =>
  await tx.query<AccountRow>(
    `INSERT INTO accounts (id, code, currency, floor)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
     ON CONFLICT ON CONSTRAINT accounts_code_currency DO NOTHING
     RETURNING ${COLUMNS}`,
    [
      accounts.map(({ accountId }) => accountId),
      accounts.map(({ code }) => code),
      accounts.map(({ currency }) => currency),
      accounts.map(({ floorMinor }) => floorMinor),
    ],
  );

/** Which accounts a reader may see: all; or those of a merchant, and those whose codes begin so. */
export interface AccountScope {
  readonly everyone: boolean;
  readonly merchantId: string | null;
  readonly codePrefix: string | null;
}

/** What a code with this prefix is less than: a prefix ends in a colon, and the next character is a semicolon. */
const endOfPrefix = (prefix: string | null): string | null => prefix && `${prefix.slice(0, -1)};`;

/** Parameters of a condition that {@link inScope} writes. */
export const scopeParameters = ({ everyone, merchantId, codePrefix }: AccountScope): readonly unknown[] => [
  everyone,
  merchantId,
  codePrefix,
  endOfPrefix(codePrefix),
];

/** The condition that a reader may see an account; its four parameters begin at `$first`. */
export const inScope = (first: number, columns = { merchantId: 'merchant_id', code: 'code' }): string =>
  `($${first}::boolean OR ${columns.merchantId} = $${first + 1}::text
         OR (${columns.code} >= $${first + 2}::text AND ${columns.code} < $${first + 3}::text))`;

export const findAccount = async (
  sql: Sql,
  accountId: string,
  scope: AccountScope,
): Promise<AccountRow | undefined> => {
  const [row] = await sql.query<AccountRow>(`SELECT ${COLUMNS} FROM accounts WHERE id = $1 AND ${inScope(2)}`, [
    accountId,
    ...scopeParameters(scope),
  ]);
  return row;
};

/** The accounts of that name (code or id; null: any) that a reader may see. */
export const findAccountSeqs = async (
  sql: Sql,
  name: string | null,
  scope: AccountScope,
): Promise<readonly bigint[]> => {
  const rows = await sql.query<{ seq: bigint }>(
    `SELECT seq FROM accounts
      WHERE ($1::text IS NULL OR code = $1 OR id = $1) AND ${inScope(2)}`,
    [name, ...scopeParameters(scope)],
  );
  return rows.map(({ seq }) => seq);
};

export interface AccountFilter extends AccountScope {
  readonly prefix: string;
  readonly currency: string | null;
  /** Only accounts opened before the one with this number. */
  readonly beforeSeq: bigint | null;
  readonly limit: number;
}

/** Newest first. */
export const listAccounts = async (sql: Sql, filter: AccountFilter): Promise<readonly AccountRow[]> =>
  await sql.query<AccountRow>(
    `SELECT ${COLUMNS} FROM accounts
      WHERE starts_with(code, $1)
        AND ($2::text IS NULL OR currency = $2)
        AND ($3::bigint IS NULL OR seq < $3)
        AND ${inScope(5)}
      ORDER BY seq DESC
      LIMIT $4`,
    [filter.prefix, filter.currency, filter.beforeSeq, filter.limit, ...scopeParameters(filter)],
  );

/**
 * The balances of many accounts at one moment, in their order: now, or after the last entry recorded up to a time. An account
 * that does not exist has 0.
 */
export const balancesOf = async (
  sql: Sql,
  accounts: readonly { readonly code: string; readonly currency: string }[],
  at: Date | null,
): Promise<readonly bigint[]> => {
  const names = [textArray(accounts, ({ code }) => code), textArray(accounts, ({ currency }) => currency)];
  const rows = await sql.query<{ balance: bigint }>(
    at === null ? BALANCES_SQL : BALANCES_AT_SQL,
    at === null ? names : [...names, at],
  );
  return rows.map(({ balance }) => balance);
};

const BALANCES_SQL = `
SELECT COALESCE((SELECT balance FROM accounts WHERE code = wanted.code AND currency = wanted.currency), 0) AS balance
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (code, currency, n)
 ORDER BY n`;

const BALANCES_AT_SQL = `
SELECT COALESCE((SELECT balance_after FROM entries
                  WHERE account = (SELECT seq FROM accounts WHERE code = wanted.code AND currency = wanted.currency)
                    AND recorded_at <= $3
                  ORDER BY recorded_at DESC, position DESC, line DESC
                  LIMIT 1), 0) AS balance
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted (code, currency, n)
 ORDER BY n`;

/** The balance after the last entry recorded up to a time, by search in the index entries_account. */
export const balanceAt = async (sql: Sql, seq: bigint, at: Date): Promise<bigint> => {
  const [row] = await sql.query<{ balance_after: bigint }>(
    `SELECT balance_after FROM entries
      WHERE account = $1 AND recorded_at <= $2
      ORDER BY recorded_at DESC, position DESC, line DESC
      LIMIT 1`,
    [seq, at],
  );
  return row?.balance_after ?? 0n;
};
