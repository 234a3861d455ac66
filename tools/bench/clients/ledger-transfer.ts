import { randomUUID } from 'node:crypto';

import { type LoadClient, SUCCESS } from '../load.ts';
import { HttpConnection } from './http-connection.ts';

export interface LedgerTransfers {
  readonly address: string;
  readonly token: string;
  /** Transfers go between `{accountPrefix}{0 … accounts − 1}`. */
  readonly accountPrefix: string;
  readonly accounts: number;
  /** All transfers come from account 0. */
  readonly hot: boolean;
  readonly transfersPerRequest: number;
  readonly withKey: boolean;
  /** References begin so, and are found by it afterwards. */
  readonly referencePrefix: string;
}

/** Posts transfers between accounts at random, a request at a time, each with references of its own. */
export const open = async (settings: LedgerTransfers, index: number): Promise<LoadClient> => {
  const connection = await HttpConnection.open(settings.address);
  const authorization = `authorization: Bearer ${settings.token}\r\n`;
  let sent = 0;
  return {
    perform: async () => {
      const transactions = Array.from({ length: settings.transfersPerRequest }, () =>
        transfer(settings, `${settings.referencePrefix}${String(index)}-${String((sent += 1))}`),
      );
      const key = settings.withKey ? `idempotency-key: ${randomUUID()}\r\n` : '';
      const body = `{"transactions":[${transactions.join(',')}]}`;
      const { status, body: answer } = await connection.send('POST', '/ledger/transactions', authorization + key, body);
      if (status !== 201) return `${String(status)} ${codeIn(answer)}`;
      return answer.includes('"refused"') ? 'refused' : SUCCESS;
    },
    close: () => connection.close(),
  };
};

const transfer = ({ accountPrefix, accounts, hot }: LedgerTransfers, reference: string): string => {
  const from = hot ? 0 : Math.floor(Math.random() * accounts);
  const to = (from + 1 + Math.floor(Math.random() * (accounts - 1))) % accounts;
  return (
    `{"reference":"${reference}","postings":[{"from":"${accountPrefix}${String(from)}",` +
    `"to":"${accountPrefix}${String(to)}","amount":1,"currency":"USD"}]}`
  );
};

/** The code of a problem document. */
const codeIn = (answer: Buffer): string => /"code":"([^"]+)"/.exec(answer.toString())?.[1] ?? '';
