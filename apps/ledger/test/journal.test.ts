import { Database } from '@payflow/postgres';
import { createTestDatabase, type TestDatabase } from '@payflow/testing';
import { currencyOf, newId } from '@payflow/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { commitTransactions } from '../src/application/commit-transactions.js';
import { brokenBalanceChain, currenciesOutOfBalance, type Leg } from '../src/domain/invariants.js';
import type { DraftGroup, GroupDecision, TransactionDraft } from '../src/domain/journal.js';
import { migrations } from '../src/migrations.js';
import { insertAccounts } from '../src/store/account-rows.js';

const USD = currencyOf('USD');
if (USD === undefined) throw new Error('USD is a currency');
const currency = USD;

const draft = (reference: string, from: string, to: string, amountMinor: bigint): TransactionDraft => ({
  transactionId: newId('ltx'),
  authority: 'client',
  reference,
  type: 'TRANSFER',
  postings: [{ from, to, amountMinor, currency, entryType: 'TRANSFER' }],
  opens: [],
  refusalIsFinal: false,
  effectiveAt: null,
  metadata: { note: 'a "quoted", {braced} and \\ escaped value' },
  provenance: {
    paymentId: null,
    merchantId: null,
    eventId: null,
    acquirerReference: null,
    reverts: null,
    postedBy: 'cli_test',
    correlationId: null,
  },
});

const group = (...drafts: readonly TransactionDraft[]): DraftGroup => ({ atomic: false, drafts });

describe('the journal in the database', () => {
  let databases: TestDatabase;
  let runtime: Database;
  let owner: Database;

  const commit = (...groups: readonly DraftGroup[]): Promise<readonly GroupDecision[]> =>
    runtime.transaction((tx) => commitTransactions(tx, groups));

  const open = async (code: string, floorMinor: bigint | null = null): Promise<bigint> => {
    const [row] = await runtime.transaction((tx) =>
      insertAccounts(tx, [{ accountId: newId('acc'), code, currency, floorMinor }]),
    );
    if (row === undefined) throw new Error(`${code} is taken`);
    return row.seq;
  };

  const legs = async (): Promise<readonly Leg[]> =>
    await runtime.query<Leg>(
      `SELECT account, currency, direction, amount AS "amountMinor", balance_after AS "balanceAfterMinor"
         FROM ledger_entries ORDER BY created_at, position, line`,
    );

  beforeAll(async () => {
    databases = await createTestDatabase({ service: 'ledger', migrations });
    runtime = await Database.connect({ url: databases.runtimeUrl, applicationName: 'test', poolSizeMax: 12 });
    owner = await Database.connect({ url: databases.ownerUrl, applicationName: 'test-owner', poolSizeMax: 2 });
    await open('world');
    await open('till', 0n);
    await commit(group(draft('first', 'world', 'till', 1_000n)));
  });
  afterAll(async () => {
    await runtime.close();
    await owner.close();
    await databases.drop();
  });

  describe('is append-only', () => {
    const changes = [
      'UPDATE entries SET amount = 1',
      'DELETE FROM entries',
      'TRUNCATE entries',
      "UPDATE transactions SET metadata = '{}'",
      'DELETE FROM transactions',
      'DELETE FROM accounts',
    ];
    it.each([
      ...changes,
      "UPDATE accounts SET code = 'x'",
      'UPDATE accounts SET floor = -5',
      'DELETE FROM journal_head',
    ])('for the role the service runs as, by privilege: %s', async (change) => {
      await expect(runtime.execute(change)).rejects.toMatchObject({ code: '42501' });
    });
    it.each([...changes, 'TRUNCATE transactions CASCADE', 'TRUNCATE accounts'])(
      'for its owner, by trigger: %s',
      async (change) => {
        await expect(owner.execute(change)).rejects.toMatchObject({ code: '23001' });
      },
    );
  });

  describe('keeps its invariants itself', () => {
    const till = "(SELECT seq FROM accounts WHERE code = 'till')";
    const world = "(SELECT seq FROM accounts WHERE code = 'world')";
    const at = '(SELECT recorded_at FROM transactions WHERE position = 1)';
    const row = (line: number, account: string, direction: string, amount: number, code = 'USD', time = at): string =>
      `('le_${line}', 1, ${line}, ${account}, '${direction}', ${amount}, '${code}', 0, 'X', ${time})`;
    const insert = (...rows: readonly string[]): string =>
      `INSERT INTO entries (id, position, line, account, direction, amount, currency, balance_after, entry_type, recorded_at)
       VALUES ${rows.join(', ')}`;

    it.each([
      ['entries that do not balance', insert(row(3, world, 'debit', 5), row(4, till, 'credit', 6)), '23514'],
      ['half a posting', insert(row(3, world, 'debit', 5)), '23514'],
      ['an amount of nothing', insert(row(3, world, 'debit', 0), row(4, till, 'credit', 0)), '23514'],
      ['a direction there is not', insert(row(3, world, 'sideways', 5), row(4, till, 'credit', 5)), '23514'],
      ['a credit where the debit belongs', insert(row(3, world, 'credit', 5), row(4, till, 'debit', 5)), '23514'],
      [
        'another currency than the account has',
        insert(row(3, world, 'debit', 5, 'EUR'), row(4, till, 'credit', 5, 'EUR')),
        '23503',
      ],
      ['an account there is not', insert(row(3, '9999', 'debit', 5), row(4, till, 'credit', 5)), '23503'],
      [
        "a time that is not its transaction's",
        insert(row(3, world, 'debit', 5, 'USD', 'now()'), row(4, till, 'credit', 5, 'USD', 'now()')),
        '23503',
      ],
      [
        'legs for a transaction that is there already',
        insert(row(3, world, 'debit', 5), row(4, till, 'credit', 5)),
        '23503',
      ],
      ['a balance below the floor', `UPDATE accounts SET balance = -1 WHERE code = 'till'`, '23514'],
    ])('and refuses %s', async (_, statement, code) => {
      const before = await legs();
      await expect(runtime.execute(statement)).rejects.toMatchObject({ code });
      expect(await legs()).toEqual(before);
    });
  });

  it('numbers transactions without gaps, and its clock never goes back, however many write at once', async () => {
    for (let index = 0; index < 6; index += 1) await open(`busy:${index}`);
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        commit(group(draft(`busy-${index}`, `busy:${index % 6}`, `busy:${(index + 1) % 6}`, 7n))),
      ),
    );
    const rows = await runtime.query<{ position: bigint; gap: boolean; back: boolean }>(
      `SELECT position, position <> row_number() OVER (ORDER BY position) AS gap,
              recorded_at < lag(recorded_at) OVER (ORDER BY position) AS back
         FROM transactions`,
    );
    expect(rows.length).toBeGreaterThanOrEqual(61);
    expect(rows.filter(({ gap, back }) => gap || back)).toEqual([]);
  });

  it('never lets a hot account fall below its floor, whoever wins the race', async () => {
    await open('hot', 0n);
    await open('sink');
    await commit(group(draft('fill-hot', 'world', 'hot', 1_000n)));
    const decisions = await Promise.all(
      Array.from({ length: 40 }, (_, index) => commit(group(draft(`race-${index}`, 'hot', 'sink', 100n)))),
    );
    const kinds = decisions.flat().flatMap(({ outcomes }) => outcomes.map((outcome) => outcome.kind));
    expect(kinds.filter((kind) => kind === 'posted')).toHaveLength(10);
    expect(kinds.filter((kind) => kind === 'refused')).toHaveLength(30);
    const hot = (await legs()).filter(({ account }) => account === 'hot');
    expect(hot.filter(({ balanceAfterMinor }) => balanceAfterMinor < 0n)).toEqual([]);
    expect(await runtime.query("SELECT balance, entry_count FROM accounts WHERE code = 'hot'")).toEqual([
      { balance: 0n, entry_count: 11n },
    ]);
  });

  it('whatever is posted, balances are the sums of the entries and every currency is zero in all', async () => {
    const names = ['load:a', 'load:b', 'load:c', 'load:d'];
    for (const name of names) await open(name, -500n);
    const drafts = fc.record({
      reference: fc.integer({ min: 1, max: 400 }),
      from: fc.constantFrom(...names),
      to: fc.constantFrom(...names),
      amount: fc.bigInt(1n, 400n),
    });
    const requests = fc.array(
      fc.record({ atomic: fc.boolean(), drafts: fc.array(drafts, { minLength: 1, maxLength: 6 }) }),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    for (const groups of fc.sample(requests, { numRuns: 25, seed: 7 })) {
      await commit(
        ...groups.map((one) => ({
          atomic: one.atomic,
          drafts: one.drafts.map(({ reference, from, to, amount }) => draft(`load-${reference}`, from, to, amount)),
        })),
      );
    }
    const all = await legs();
    expect(all.filter(({ account }) => account.startsWith('load:')).length).toBeGreaterThan(50);
    expect(currenciesOutOfBalance(all)).toEqual([]);
    expect(brokenBalanceChain(all)).toEqual([]);
    const wrong = await runtime.query(
      `SELECT a.code FROM accounts a LEFT JOIN entries e ON e.account = a.seq GROUP BY a.seq
       HAVING a.balance <> COALESCE(sum(CASE e.direction WHEN 'credit' THEN e.amount ELSE -e.amount END), 0)
           OR a.entry_count <> count(e.id)`,
    );
    expect(wrong).toEqual([]);
  });
});
