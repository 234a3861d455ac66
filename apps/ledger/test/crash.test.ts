import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { Database } from '@payflow/postgres';
import { createTestDatabase, eventually, freePort, type TestDatabase, testKafka, TokenMint } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { migrations } from '../src/migrations.js';
import { CHECKPOINT_KEY, LEDGER_CLIENT, move, transaction } from './ledger-under-test.js';

const CLIENTS = 8;
const POSTS_PER_CLIENT = 6;

let databases: TestDatabase;
let mint: TokenMint;
let token: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  mint = await TokenMint.open();
  token = await mint.authorization(LEDGER_CLIENT);
  databases = await createTestDatabase({ service: 'ledger', migrations });
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(async () => {
  await mint.close();
  await databases.drop();
});

/** The service as a process of its own. */
const startLedger = (port: number, crash: string): ChildProcess => {
  const child = fork(new URL('../src/main.ts', import.meta.url), {
    execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      AUTH_URL: mint.url,
      ISSUER: mint.url,
      DATABASE_URL: databases.runtimeUrl,
      KAFKA_BROKERS: testKafka().brokerList,
      KAFKA_TOPIC_PREFIX: `ledger-crash-${process.pid}.`,
      SERVICE_CLIENT_SECRET: 'secret-of-the-ledger-under-test',
      CHECKPOINT_KEY,
      LOG_LEVEL: 'error',
      PAYFLOW_CRASH: crash,
    },
    stdio: 'ignore',
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
};

/** Asks until it is answered, as a client with a key may. */
const postUntilAnswered = async (url: string, key: string, path: string, body: unknown): Promise<unknown> =>
  await eventually(
    async () => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: token, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(201);
      return await response.json();
    },
    { timeoutMs: 60_000, intervalMs: 100 },
  );

it.each(['ledger.after-write-before-commit', 'ledger.after-commit-before-answers'])(
  'killed at %s, it has posted each answered transaction once',
  async (crashPoint) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const first = startLedger(port, `${crashPoint}@4`);
    const killed = once(first, 'exit').then(([, signal]) => {
      startLedger(port, '');
      return signal as NodeJS.Signals;
    });
    const tag = crashPoint.slice('ledger.'.length);
    for (const code of ['world', 'till']) {
      await postUntilAnswered(url, `${tag}-${code}`, '/ledger/accounts', { code: `${tag}:${code}`, currency: 'USD' });
    }
    const client = async (name: number): Promise<readonly unknown[]> => {
      const answers: unknown[] = [];
      for (let index = 0; index < POSTS_PER_CLIENT; index += 1) {
        const reference = `${tag}-${name}-${index}`;
        const body = { transactions: [transaction(reference, move(`${tag}:world`, `${tag}:till`, 1))] };
        answers.push(await postUntilAnswered(url, reference, '/ledger/transactions', body));
      }
      return answers;
    };
    const answers = (await Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)))).flat();
    expect(await killed).toBe('SIGKILL');

    const database = await Database.connect({ url: databases.runtimeUrl, applicationName: 'test', poolSizeMax: 1 });
    const posted = await database.query<{ id: string; reference: string }>(
      'SELECT id, reference FROM transactions WHERE starts_with(reference, $1) ORDER BY position',
      [`${tag}-`],
    );
    const balances = await database.query<{ balance: bigint; entry_count: bigint }>(
      'SELECT balance, entry_count FROM accounts WHERE code = $1',
      [`${tag}:till`],
    );
    const keys = await database.query<{ key: string; body: string }>(
      `SELECT key, body FROM idempotency_keys WHERE starts_with(key, $1) AND scope LIKE '%/transactions' ORDER BY key`,
      [`${tag}-`],
    );
    await database.close();
    const total = CLIENTS * POSTS_PER_CLIENT;
    const told = answers.flatMap((answer) => (answer as { results: readonly { transactionId: string }[] }).results);
    expect(told.map(({ transactionId }) => transactionId).toSorted()).toEqual(posted.map(({ id }) => id).toSorted());
    expect(posted).toHaveLength(total);
    // Whoever was answered, and whoever asked again after the kill, was told what is stored under his key.
    expect(keys.map(({ key }) => key)).toEqual(posted.map(({ reference }) => reference).toSorted());
    expect(keys.map(({ body }) => JSON.parse(body) as unknown)).toEqual(expect.arrayContaining(answers));
    expect(balances).toEqual([{ balance: BigInt(total), entry_count: BigInt(total) }]);
  },
  120_000,
);
