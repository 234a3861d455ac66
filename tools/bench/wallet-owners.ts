import { randomUUID } from 'node:crypto';

import pg from 'pg';
import { typeid } from 'typeid-js';

import { Failure } from '../servers/failure.ts';
import type { Bench } from './section.ts';

export interface WalletOwner {
  readonly token: string;
  /** The first has what they all were filled from. */
  readonly wallets: readonly string[];
}

/** What each owner puts in by card, and what each of his wallets gets of it, in minor units. */
const ADDED = 100_000_000;
const FILLED = 1_000_000;
const CALLS_AT_ONCE = 16;
const DONE_WITHIN_MS = 60_000;

/**
 * People with wallets that have money, all of it added by card and moved by transfers, so that the books are sound. Only the
 * people are written into their table at once: a password costs a tenth of a second to hash, and they share one.
 */
export const newOwners = async (bench: Bench, owners: number, wallets: number): Promise<readonly WalletOwner[]> => {
  const { gateway } = bench.stack;
  const tokens = await inParallel(await newUsers(bench, owners), async (username) => {
    const { password } = bench.stack.customer;
    return (await call<{ token: string }>(gateway, '/auth/login', undefined, { username, password })).token;
  });
  // One call of each owner at a time: more than a gateway takes at once would be turned away.
  return await inParallel(tokens, async (token) => {
    const [first, ...others] = await newWallets(gateway, token, Math.ceil(wallets / owners));
    if (first === undefined) throw new Error('invariant: an owner has wallets');
    await addMoney(gateway, token, first);
    for (const wallet of others)
      await call(gateway, '/wallets/transfer', token, { fromWallet: first, toWallet: wallet, amount: FILLED });
    return { token, wallets: [first, ...others] };
  });
};

/** Their names. They have the password of the demo's customer. */
const newUsers = async ({ stack }: Bench, count: number): Promise<readonly string[]> => {
  const url = new URL(stack.postgres);
  url.pathname = '/payflow_auth';
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  try {
    const run = Date.now().toString(36);
    const names = Array.from({ length: count }, (_, index) => `bench-${run}-${String(index)}`);
    const { rowCount } = await client.query(
      `INSERT INTO users (id, username, password_hash, roles)
       SELECT n.id, n.username, u.password_hash, u.roles
         FROM unnest($1::text[], $2::text[]) AS n (id, username)
        CROSS JOIN (SELECT password_hash, roles FROM users WHERE email = $3) AS u`,
      [names.map(() => typeid('usr').toString()), names, stack.customer.email],
    );
    if (rowCount !== count) throw new Failure(`There is no customer ${stack.customer.email} whose password they get.`);
    return names;
  } finally {
    await client.end();
  }
};

const newWallets = async (gateway: string, token: string, count: number): Promise<readonly string[]> => {
  const ids: string[] = [];
  while (ids.length < count) ids.push((await call<{ id: string }>(gateway, '/wallets', token, { currency: 'USD' })).id);
  return ids;
};

/** By card, and waits until it is there. */
const addMoney = async (gateway: string, token: string, wallet: string): Promise<void> => {
  const card = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' };
  await call(gateway, '/wallet/add', token, {
    amount: ADDED,
    currency: 'USD',
    walletId: wallet,
    paymentMethod: { type: 'card', card },
  });
  const deadline = performance.now() + DONE_WITHIN_MS;
  for (;;) {
    const response = await fetch(`${gateway}/wallets/${wallet}/balance`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { total } = (await response.json()) as { readonly total?: number };
    if (total === ADDED) return;
    if (performance.now() > deadline) throw new Failure(`The money added to ${wallet} did not come.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** POSTs JSON. */
const call = async <Answer>(
  gateway: string,
  path: string,
  token: string | undefined,
  body: unknown,
): Promise<Answer> => {
  const response = await fetch(gateway + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Failure(`${path} answered ${String(response.status)}: ${await response.text()}`);
  return (await response.json()) as Answer;
};

const inParallel = async <Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, worker));
  return results;
};
