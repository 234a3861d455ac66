import pg from 'pg';

import { type LoadClient, SUCCESS } from '../load.ts';

export interface DatabaseStatement {
  readonly url: string;
  readonly statement: 'transfer' | 'transfers' | 'select';
  readonly accounts: number;
  /** All transfers come from account 1. */
  readonly hot: boolean;
  readonly transfersPerStatement: number;
  readonly referencePrefix: string;
}

/** One statement after the other, each a transaction of its own, prepared once. */
export const open = async (settings: DatabaseStatement, index: number): Promise<LoadClient> => {
  const client = new pg.Client({ connectionString: settings.url });
  await client.connect();
  const { accounts, hot, transfersPerStatement } = settings;
  const one = (): number => 1 + Math.floor(Math.random() * accounts);
  const pair = (): readonly [number, number] => {
    const from = hot ? 1 : one();
    return [from, 1 + ((from + Math.floor(Math.random() * (accounts - 1))) % accounts)];
  };
  let sent = 0;
  const reference = (): string => `${settings.referencePrefix}${String(index)}-${String((sent += 1))}`;
  const perform: () => pg.QueryConfig = {
    transfer: () => {
      const [from, to] = pair();
      return { name: 'transfer', text: 'SELECT transfer($1, $2, 1, $3)', values: [from, to, reference()] };
    },
    transfers: () => {
      const pairs = Array.from({ length: transfersPerStatement }, pair);
      return {
        name: 'transfers',
        text: 'SELECT transfers($1, $2, $3)',
        values: [pairs.map(([from]) => from), pairs.map(([, to]) => to), pairs.map(reference)],
      };
    },
    select: () => ({ name: 'select', text: 'SELECT balance FROM accounts WHERE id = $1', values: [one()] }),
  }[settings.statement];
  return {
    perform: async () => {
      await client.query(perform());
      return SUCCESS;
    },
    close: () => client.end(),
  };
};
