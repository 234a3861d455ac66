import { once } from 'node:events';

import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually, freePort } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { WalletsUnderTest } from './wallets-under-test.js';

const CLIENTS = 6;
const TRANSFERS_PER_CLIENT = 4;

let wallets: WalletsUnderTest;

beforeAll(async () => {
  wallets = await WalletsUnderTest.start();
});
afterEach(() => {
  wallets.killProcesses();
});
afterAll(async () => {
  await wallets.stop();
});

/** Asks until it is answered, as a client with a key may. */
const transferUntilAnswered = async (url: string, authorization: string, key: string, body: object): Promise<unknown> =>
  await eventually(
    async () => {
      const response = await fetch(`${url}/wallets/transfer`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(200);
      return await response.json();
    },
    { timeoutMs: 90_000, intervalMs: 200 },
  );

it.each([
  'wallet.transfer.after-intent',
  'wallet.transfer.after-posting',
  'wallet.transfer.after-outcome-before-answer',
])(
  'killed at %s, each answered transfer is there once, with its money moved once',
  async (crashPoint) => {
    const [alice, bob]: [Principal, Principal] = [await wallets.person(), await wallets.person()];
    const [from, to] = [await wallets.wallet(alice, 10_000), await wallets.wallet(bob)];
    const authorization = await wallets.authorization(alice);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const killed = once(wallets.startProcess(port, `${crashPoint}@2`), 'exit').then(([, signal]) => {
      wallets.startProcess(port, '');
      return signal as NodeJS.Signals;
    });
    const client = async (): Promise<readonly unknown[]> => {
      const answers: unknown[] = [];
      for (let index = 0; index < TRANSFERS_PER_CLIENT; index += 1) {
        const body = { fromWallet: from, toWallet: to, amount: 10 };
        answers.push(await transferUntilAnswered(url, authorization, newId('req'), body));
      }
      return answers;
    };
    const answers = (await Promise.all(Array.from({ length: CLIENTS }, client))).flat();
    expect(await killed).toBe('SIGKILL');

    const total = CLIENTS * TRANSFERS_PER_CLIENT;
    const rows = await wallets.database.query<{ id: string; status: string }>(
      'SELECT id, status FROM wallet_transactions WHERE from_wallet_id = $1 ORDER BY id',
      [from],
    );
    const told = answers.map((answer) => (answer as { readonly transactionId: string }).transactionId);
    expect(rows).toEqual(told.toSorted().map((id) => ({ id, status: 'SUCCESS' })));
    expect(await wallets.available(to)).toBe(total * 10);
    expect(await wallets.available(from)).toBe(10_000 - total * 10);
    const [left] = await wallets.database.query<{ timers: bigint; events: bigint }>(
      `SELECT (SELECT count(*) FROM wallet_timers WHERE subject_id = ANY ($1::text[])) AS timers,
              (SELECT count(*) FROM outbox WHERE aggregate_id = ANY ($1::text[])) AS events`,
      [told],
    );
    expect(left).toEqual({ timers: 0n, events: BigInt(total) });
  },
  180_000,
);
