import { Database, urlFor } from '@payflow/postgres';
import { eventually, testDatabaseAdminUrl } from '@payflow/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Answered, LedgerUnderTest, move, transaction } from './ledger-under-test.js';

const POST = '/ledger/transactions';

/** Sessions of the service that wait for the journal's lock, which the test holds. */
const WAITING = `
SELECT pid FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'ledger' AND wait_event_type = 'Lock'`;

let ledger: LedgerUnderTest;
let superuser: Database;

beforeAll(async () => {
  ledger = await LedgerUnderTest.start({ LOG_LEVEL: 'silent' });
  const admin = new URL(testDatabaseAdminUrl());
  const name = new URL(ledger.databases.ownerUrl).pathname.slice(1);
  superuser = await Database.connect({
    url: urlFor(admin.href, name, decodeURIComponent(admin.username), decodeURIComponent(admin.password)),
    applicationName: 'test-superuser',
    poolSizeMax: 2,
  });
  await ledger.openAccount('world');
  await ledger.openAccount('till');
});
afterAll(async () => {
  await superuser.close();
  await ledger.stop();
});

/** Runs `work` while nobody can write to the journal. */
const withJournalHeld = async <Result>(work: () => Promise<Result>): Promise<Result> =>
  await superuser.transaction(async (tx) => {
    await tx.query('SELECT position FROM journal_head FOR UPDATE');
    return await work();
  });

it('takes no more than it can write in good time: the others are told to come again', async () => {
  const hundredPostings = Array.from({ length: 100 }, () => move('world', 'till', 1));
  const request = (index: number) => ({
    transactions: Array.from({ length: 50 }, (_, at) => transaction(`queue-${index}-${at}`, ...hundredPostings)),
  });
  // Five thousand postings each: one is on its way, four fill the queue, the rest is too much.
  const asked = await withJournalHeld(async () => {
    const answers = Array.from({ length: 8 }, (_, index) => ledger.post(POST, request(index)));
    const first = await Promise.race(answers);
    expect(first).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
    expect(first.headers['retry-after']).toBeDefined();
    return { answers };
  });
  const statuses = (await Promise.all(asked.answers)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([201, 201, 201, 201, 201, 503, 503, 503]);
  const till = await ledger.get('/ledger/accounts?prefix=till');
  expect(till.body['data']).toMatchObject([{ balance: 5 * 5_000 }]);
}, 30_000);

it('answers 503 to a batch whose connection broke, posts nothing of it, and goes on', async () => {
  const references = Array.from({ length: 30 }, (_, index) => `broken-${index}`);
  const post = async (reference: string): Promise<Answered> =>
    await ledger.post(POST, { transactions: [transaction(reference, move('world', 'till', 1))] }, { key: reference });
  const before = await ledger.countRows('transactions');
  const asked = await withJournalHeld(async () => {
    const answers = references.map(post);
    await eventually(async () => {
      expect(await superuser.query(WAITING)).toHaveLength(1);
    });
    await superuser.query(`SELECT pg_terminate_backend(pid) FROM (${WAITING}) AS waiting`);
    expect(await Promise.race(answers)).toMatchObject({ status: 503, body: { code: 'dependency_unavailable' } });
    return { answers };
  });
  const statuses = (await Promise.all(asked.answers)).map(({ status }) => status);
  expect(statuses.filter((status) => status !== 201 && status !== 503)).toEqual([]);
  const posted = statuses.filter((status) => status === 201).length;
  expect(await ledger.countRows('transactions')).toBe(before + BigInt(posted));
  // A key is used up by what was posted under it, in the same commit, and by nothing else.
  const keys = await ledger.database.query<{ key: string; state: string }>(
    `SELECT key, state FROM idempotency_keys WHERE starts_with(key, 'broken-')`,
  );
  expect(keys.map(({ state }) => state)).toEqual(Array.from({ length: posted }, () => 'done'));
  const again = await Promise.all(references.map(post));
  expect(again.map(({ status }) => status)).toEqual(references.map(() => 201));
  expect(await ledger.countRows('transactions')).toBe(before + BigInt(references.length));
}, 30_000);
