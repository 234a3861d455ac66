import { pipeline, Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';
import { type Currency, currencyOf, majorFromMinor } from '@payflow/kernel';
import type { Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';
import { stringify } from 'csv-stringify';

import { type StatementLine, statementLines } from '../store/wallet-transactions.js';
import type { WalletRow } from '../store/wallets.js';
import { DisplayedBalances } from './displayed-balances.js';
import { ReadWallets } from './read-wallets.js';

const LINES_PER_PAGE = 500;
const COLUMNS = ['date', 'transactionId', 'type', 'counterparty', 'note', 'debit', 'credit', 'balance', 'currency'];

/**
 * GET /wallets/{id}/statement.csv: every movement of a wallet between two times, by the ledger's clock, between the balance it
 * began with and the one it ended with. Written page by page, so that a long one needs no memory.
 */
@Injectable()
export class WriteStatement {
  constructor(
    private readonly database: Database,
    private readonly wallets: ReadWallets,
    private readonly balances: DisplayedBalances,
  ) {}

  /** @throws Problem wallet_not_found | validation_failed */
  async write(caller: Principal, walletId: string, from: string, to: string | undefined): Promise<Readable> {
    const wallet = await this.wallets.seen(caller, walletId);
    const end = to === undefined ? new Date() : new Date(to);
    const start = new Date(from);
    if (start >= end) {
      throw new Problem('validation_failed', {
        errors: [{ pointer: '?from', code: 'not_before', message: 'must be before the end of the statement' }],
      });
    }
    // Right before it begins: what is recorded at that moment is in it.
    const opening = await this.balances.at(wallet, new Date(start.getTime() - 1).toISOString());
    const records = this.records(wallet, BigInt(opening.available + opening.held), start, end);
    // A cell that begins like a formula is written behind an apostrophe: spreadsheets run what looks like one.
    const csv = stringify({ header: true, columns: COLUMNS, escape_formulas: true, record_delimiter: '\r\n' });
    // What fails on the way breaks the download off: half a statement does not end like a whole one.
    pipeline(Readable.from(records), csv, () => undefined);
    return csv;
  }

  private async *records(wallet: WalletRow, openingMinor: bigint, start: Date, end: Date): AsyncGenerator<string[]> {
    const currency = currencyOf(wallet.currency);
    if (currency === undefined) throw new Error(`invariant: a wallet in ${wallet.currency}`);
    let balanceMinor = openingMinor;
    yield boundary(start, 'OPENING', balanceMinor, currency);
    let after: StatementLine | undefined;
    do {
      const lines = await statementLines(this.database, wallet.id, start, end, after, LINES_PER_PAGE);
      for (const line of lines) {
        balanceMinor += line.amountMinor;
        yield record(line, balanceMinor, currency);
      }
      after = lines.length === LINES_PER_PAGE ? lines.at(-1) : undefined;
    } while (after !== undefined);
    yield boundary(end, 'CLOSING', balanceMinor, currency);
  }
}

const boundary = (at: Date, type: string, balanceMinor: bigint, currency: Currency): string[] => [
  at.toISOString(),
  '',
  type,
  '',
  '',
  '',
  '',
  majorFromMinor({ amountMinor: balanceMinor, currency }),
  currency,
];

const record = (line: StatementLine, balanceMinor: bigint, currency: Currency): string[] => {
  const amount = majorFromMinor({
    amountMinor: line.amountMinor < 0n ? -line.amountMinor : line.amountMinor,
    currency,
  });
  return [
    line.at.toISOString(),
    line.transactionId,
    line.reversal ? `${line.type} RETURNED` : line.type,
    line.counterparty ?? '',
    line.note ?? '',
    line.amountMinor < 0n ? amount : '',
    line.amountMinor < 0n ? '' : amount,
    majorFromMinor({ amountMinor: balanceMinor, currency }),
    currency,
  ];
};
