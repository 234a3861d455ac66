import { randomUUID } from 'node:crypto';

import { type LoadClient, SUCCESS } from '../load.ts';
import { HttpConnection } from './http-connection.ts';

export interface WalletTransfers {
  readonly address: string;
  /** Each client is one of them. */
  readonly owners: readonly { readonly token: string; readonly wallets: readonly string[] }[];
  /** All transfers go to this wallet; absent: to any. */
  readonly hotReceiver?: string;
}

/** Sends money from the wallets of one person to wallets of everybody, a transfer at a time. */
export const open = async (settings: WalletTransfers, index: number): Promise<LoadClient> => {
  const connection = await HttpConnection.open(settings.address);
  const owner = settings.owners[index % settings.owners.length];
  if (owner === undefined) throw new Error('invariant: there are owners');
  const authorization = `authorization: Bearer ${owner.token}\r\n`;
  const senders = owner.wallets.filter((wallet) => wallet !== settings.hotReceiver);
  const everybody = settings.owners.flatMap(({ wallets }) => wallets);
  return {
    perform: async () => {
      const fromWallet = anyOf(senders);
      const toWallet = settings.hotReceiver ?? anyOf(everybody, fromWallet);
      const { status, body } = await connection.send(
        'POST',
        '/wallets/transfer',
        `${authorization}idempotency-key: ${randomUUID()}\r\n`,
        `{"fromWallet":"${fromWallet}","toWallet":"${toWallet}","amount":1}`,
      );
      if (status === 200) return SUCCESS;
      return `${String(status)} ${/"code":"([^"]+)"/.exec(body.toString())?.[1] ?? ''}`;
    },
    close: () => connection.close(),
  };
};

const anyOf = (wallets: readonly string[], except?: string): string => {
  for (;;) {
    const wallet = wallets[Math.floor(Math.random() * wallets.length)];
    if (wallet === undefined) throw new Error('invariant: there are wallets');
    if (wallet !== except) return wallet;
  }
};
