import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { call, CARD_OK, demo, eventually, newKey, stackHome } from './stack.js';

const run = promisify(execFile);

/** A minute of a hundred clients on a quiet machine: STORM_CLIENTS=100 STORM_SECONDS=60. */
const CLIENTS = Number(process.env['STORM_CLIENTS'] ?? 30);
const SECONDS = Number(process.env['STORM_SECONDS'] ?? 20);
const WALLETS = 20;
const ADDED = 10_000;
const TRIES_MAX = 400;
const RETRY_PAUSE_MS = 250;
const TEST_TIMEOUT_MS = (SECONDS + 600) * 1_000;
const VICTIMS = ['wallet', 'ledger', 'auth'] as const;

interface Owner {
  readonly token: string;
  readonly walletId: string;
}

interface JournalLine {
  readonly transactionId: string;
  readonly amount: number;
}

const newOwner = async (): Promise<Owner> => {
  const username = `storm-${newKey().slice(0, 18).replaceAll('-', 'x')}`;
  const password = 'correct horse battery staple';
  const registered = await call('POST', '/auth/register', { body: { username, password } });
  if (registered.status !== 201) throw new Error(`no account: ${registered.status} ${registered.text}`);
  const token = String((await call('POST', '/auth/login', { body: { username, password } })).body['token']);
  const wallet = await call('POST', '/wallets', { token, key: newKey(), body: { currency: 'USD' } });
  const added = await call('POST', '/wallet/add', {
    token,
    key: newKey(),
    body: { amount: ADDED, currency: 'USD', paymentMethod: { type: 'card', card: CARD_OK } },
  });
  if (added.body['status'] !== 'SUCCESS') throw new Error(`nothing was added: ${added.status} ${added.text}`);
  return { token, walletId: String(wallet.body['id']) };
};

/**
 * Repeats the request with its key until its answer is final, as the docs tell callers to.
 *
 * @returns the transaction when it was made; undefined when it was refused
 */
const transfer = async (from: Owner, to: Owner, amount: number): Promise<JournalLine | undefined> => {
  const key = newKey();
  const body = { fromWallet: from.walletId, toWallet: to.walletId, amount };
  for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
    const answer = await call('POST', '/wallets/transfer', { token: from.token, key, body }).catch(() => undefined);
    if (answer?.status === 200) return { transactionId: String(answer.body['transactionId']), amount };
    if (answer?.status === 422) return undefined;
    const again =
      answer === undefined ||
      answer.status >= 500 ||
      [202, 429].includes(answer.status) ||
      answer.body['code'] === 'idempotency_key_in_use';
    if (!again) throw new Error(`a transfer was answered ${answer.status} ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
  }
  throw new Error(`no final answer for the transfer ${key}`);
};

const availableIn = async ({ token, walletId }: Owner): Promise<number> => {
  const { status, body } = await call('GET', `/wallets/${walletId}/balance`, { token });
  expect(status).toBe(200);
  return Number(body['available']);
};

const inLedger = async (statement: string, parameters: readonly unknown[]): Promise<readonly any[]> => {
  const url = new URL(demo().postgres);
  url.pathname = '/payflow_ledger';
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  try {
    return (await client.query(statement, [...parameters])).rows;
  } finally {
    await client.end();
  }
};

/** Until the time is over and each was killed once: what was killed often comes back more slowly. */
const killInTurn = async (until: number): Promise<void> => {
  let kills = 0;
  while (Date.now() < until || kills < VICTIMS.length) {
    const name = VICTIMS[kills % VICTIMS.length] ?? 'wallet';
    const before = demo().pids[name];
    if (before === undefined) throw new Error(`no pid of ${name}`);
    process.kill(before, 'SIGKILL');
    kills += 1;
    await eventually(async () => {
      expect(demo().pids[name]).not.toBe(before);
      expect((await fetch(`${demo().services[name] ?? ''}/health/ready`)).status).toBe(200);
    });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
};

describe(`${CLIENTS} clients that transfer at random among ${WALLETS} wallets while wallet, ledger and auth are killed in turn`, () => {
  const owners: Owner[] = [];
  const journal: JournalLine[] = [];
  let refused = 0;

  beforeAll(async () => {
    for (let made = 0; made < WALLETS; made += 4)
      owners.push(...(await Promise.all([newOwner(), newOwner(), newOwner(), newOwner()])));
  }, TEST_TIMEOUT_MS);

  it(
    'answer every transfer in the end, and each process comes back',
    async () => {
      let isOver = false;
      const storm = killInTurn(Date.now() + SECONDS * 1_000).finally(() => {
        isOver = true;
      });
      const pick = (): Owner => owners[Math.floor(Math.random() * owners.length)] as Owner;
      const client = async (): Promise<void> => {
        // On a slow machine the time alone may be too short for one of each kind.
        while (!isOver || refused === 0 || journal.length === 0) {
          const [from, to] = [pick(), pick()];
          if (from === to) continue;
          // Now and then more than anybody has.
          const amount = Math.random() < 0.05 ? ADDED * WALLETS + 1 : 1 + Math.floor(Math.random() * 2_000);
          const line = await transfer(from, to, amount);
          if (line === undefined) refused += 1;
          else journal.push(line);
        }
      };
      await Promise.all([storm, ...Array.from({ length: CLIENTS }, client)]);
      expect(journal.length).toBeGreaterThan(0);
      expect(refused).toBeGreaterThan(0);
    },
    TEST_TIMEOUT_MS,
  );

  it('have moved money and made none: all balances together are what was added', async () => {
    // Killed a moment ago, perhaps: until it is there again it answers nobody.
    const balances = await eventually(async () => await Promise.all(owners.map(availableIn)));
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(WALLETS * ADDED);
  });

  it('never had less than nothing, and each answered transfer is in the ledger once', async () => {
    const [lowest] = await inLedger(
      `SELECT min(e.balance_after) AS balance FROM entries e JOIN accounts a ON a.seq = e.account WHERE a.code LIKE 'user:%'`,
      [],
    );
    expect(Number(lowest.balance)).toBeGreaterThanOrEqual(0);
    const references = journal.map(({ transactionId }) => `wallet:${transactionId}`);
    const [found] = await inLedger('SELECT count(*) AS n FROM transactions WHERE reference = ANY ($1::text[])', [
      references,
    ]);
    expect(new Set(references).size).toBe(journal.length);
    expect(Number(found.n)).toBe(journal.length);
  });

  it(
    'leave nothing that the audit finds',
    async () => {
      const { stdout } = await run(
        process.execPath,
        [join(import.meta.dirname, '..', 'tools', 'audit.mjs'), '--json', '--grace-seconds', '180'],
        {
          env: { ...process.env, NODE_OPTIONS: '', PAYFLOW_HOME: stackHome() },
          maxBuffer: 16 * 1024 * 1024,
        },
      ).catch((error: unknown) => error as { readonly stdout: string });
      const { verdicts } = JSON.parse(stdout) as { verdicts: readonly { number: number; holds: boolean }[] };
      expect(verdicts.filter(({ holds }) => !holds)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
