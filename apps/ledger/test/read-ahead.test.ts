import { Database, urlFor } from '@payflow/postgres';
import { eventually, testDatabaseAdminUrl } from '@payflow/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type Answered, LedgerUnderTest, move, transaction } from './ledger-under-test.js';

const POST = '/ledger/transactions';
/** Two of these are too much for one batch, and one that waits is enough to be decided while another is on its way. */
const MANY = 600;

let ledger: LedgerUnderTest;
let superuser: Database;
let scene = 0;

beforeAll(async () => {
  ledger = await LedgerUnderTest.start({ LOG_LEVEL: 'silent' });
  const admin = new URL(testDatabaseAdminUrl());
  const name = new URL(ledger.databases.ownerUrl).pathname.slice(1);
  superuser = await Database.connect({
    url: urlFor(admin.href, name, decodeURIComponent(admin.username), decodeURIComponent(admin.password)),
    applicationName: 'test-superuser',
    poolSizeMax: 3,
  });
  await ledger.openAccount('world');
  await ledger.openAccount('sink');
});
afterAll(async () => {
  await superuser.close();
  await ledger.stop();
});
beforeEach(() => {
  scene += 1;
});

/** Accounts whose balance is not what their entries add up to, and entries that do not follow from the one before. */
const BROKEN = `
SELECT a.code FROM accounts a
  LEFT JOIN (SELECT account, count(*) AS entries, sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END) AS balance
               FROM entries GROUP BY account) AS e ON e.account = a.seq
 WHERE a.balance <> COALESCE(e.balance, 0) OR a.entry_count <> COALESCE(e.entries, 0)
UNION ALL
SELECT id FROM (SELECT id, balance_after, sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END)
                         OVER (PARTITION BY account ORDER BY recorded_at, position, line) AS running FROM entries) AS chain
 WHERE balance_after <> running
UNION ALL
SELECT 'head' FROM journal_head WHERE position <> (SELECT count(*) FROM transactions)`;

interface Result {
  readonly status: string;
  readonly transactionId?: string;
  readonly code?: string;
}
const results = (answer: Answered): readonly Result[] => answer.body['results'] as readonly Result[];

/** Fills a request up, so that several of them do not fit into one batch. */
const filling = (tag: string) =>
  Array.from({ length: MANY }, (_, index) => transaction(`fill-${scene}-${tag}-${index}`, move('world', 'sink', 1)));

describe('a batch that is decided while the one before is on its way', () => {
  it('rests on what that one leaves behind: nobody pays what he does not have, and no reference posts twice', async () => {
    const purse = `purse-${scene}`;
    await ledger.openAccount(purse, { floor: 0 });
    // Each request gives the purse 10 and tries to take 15: what is there depends on all requests before.
    const requests = Array.from({ length: 12 }, (_, index) =>
      ledger.post(
        POST,
        {
          transactions: [
            transaction(`give-${scene}-${index}`, move('world', purse, 10)),
            transaction(`take-${scene}-${index}`, move(purse, 'sink', 15)),
            transaction(`same-${scene}`, move('world', 'sink', 7)),
            ...filling(String(index)),
          ],
        },
        index % 2 === 0 ? { key: `ahead-${scene}-${index}` } : {},
      ),
    );
    const singles = Array.from({ length: 40 }, (_, index) =>
      ledger.post(POST, { transactions: [transaction(`single-${scene}-${index}`, move('world', 'sink', 1))] }),
    );
    const reverted = await singles[0];
    const id = (reverted === undefined ? [] : results(reverted))[0]?.transactionId ?? '';
    const reversal = ledger.post(`${POST}/${id}/revert`, {});
    const answers = await Promise.all(requests);
    await Promise.all(singles);
    expect((await reversal).status).toBe(201);

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    const taken = answers.filter((answer) => results(answer)[1]?.status === 'posted').length;
    const [row] = await ledger.database.query<{ balance: bigint }>('SELECT balance FROM accounts WHERE code = $1', [
      purse,
    ]);
    expect(row?.balance).toBe(120n - 15n * BigInt(taken));
    expect(new Set(answers.map((answer) => results(answer)[2]?.transactionId)).size).toBe(1);
    expect(await ledger.database.query(BROKEN)).toEqual([]);
  }, 60_000);

  it('is decided anew when that one is not committed', async () => {
    const [purse, slow] = [`purse-${scene}`, `slow-${scene}`];
    await ledger.openAccount(purse, { floor: 0 });
    await ledger.openAccount(slow);
    const before = await ledger.countRows('transactions');
    const asked = await superuser.transaction(async (tx) => {
      // The first batch can write everything but this balance.
      await tx.query('SELECT seq FROM accounts WHERE code = $1 FOR UPDATE', [slow]);
      const giving = transaction(`give-${scene}`, move('world', purse, 10), move('world', slow, 1));
      const taking = transaction(`take-${scene}`, move(purse, 'sink', 10));
      const answers = [
        ledger.post(POST, { transactions: [...filling('give'), giving] }, { key: `give-${scene}` }),
        ledger.post(POST, { transactions: [...filling('take'), taking] }, { key: `take-${scene}` }),
        ledger.post(POST, { transactions: filling('more') }),
      ];
      const waiting = await waiters(2);
      const writer = waiting.find(({ query }) => query.includes('UPDATE accounts'));
      expect(waiting.filter((one) => one !== writer).map(({ query }) => query)).toEqual([
        'SELECT batch FROM journal_head FOR UPDATE',
      ]);
      await superuser.query('SELECT pg_terminate_backend($1)', [writer?.pid]);
      expect(await answers[0]).toMatchObject({ status: 503 });
      return { answers };
    });
    const [, taken, more] = await Promise.all(asked.answers);
    expect(taken?.status).toBe(201);
    // It was decided on money that never came, and then again without.
    expect(taken === undefined ? [] : results(taken).at(-1)).toMatchObject({ code: 'insufficient_funds' });
    expect(more?.status).toBe(201);
    expect(await ledger.countRows('transactions')).toBe(before + 2n * BigInt(MANY));
    expect(await ledger.database.query(BROKEN)).toEqual([]);
    const keys = await ledger.database.query('SELECT key FROM idempotency_keys WHERE key IN ($1, $2)', [
      `give-${scene}`,
      `take-${scene}`,
    ]);
    expect(keys).toEqual([{ key: `take-${scene}` }]);
  }, 60_000);
});

/** Waits until so many sessions of the service wait for a lock. */
const waiters = async (count: number): Promise<readonly { readonly pid: number; readonly query: string }[]> =>
  await eventually(async () => {
    const waiting = await superuser.query<{ pid: number; query: string }>(
      `SELECT pid, query FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'ledger' AND wait_event_type = 'Lock'`,
    );
    expect(waiting).toHaveLength(count);
    return waiting;
  });
