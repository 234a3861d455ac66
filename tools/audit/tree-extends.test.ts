import { noteKeyOf, parseVerifierKey, signCheckpoint } from '@payflow/ledger-proof';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { growTree, LEAVES_PER_GROWTH, TreeFaultError } from '../../apps/ledger/src/application/grow-tree.js';
import { migrations } from '../../apps/ledger/src/migrations.js';
import type { Finding } from './invariant.js';
import { ScratchBooks } from './scratch-books.js';
import { treeExtends } from './tree-extends.js';

/** A journal and its tree, written as the ledger writes them; then its owner breaks them, triggers off. */

const KEY = noteKeyOf('test.example/ledger', Buffer.alloc(32, 7));
const OTHERS_KEY = noteKeyOf('test.example/ledger', Buffer.alloc(32, 8));
const TRANSACTIONS = 40;

let books: ScratchBooks<'ledger'>;
const ids: string[] = [];
beforeEach(async () => {
  books = await ScratchBooks.open({ ledger: migrations });
  ids.length = 0;
  // 23, 39 and 40 leaves: checkpoints in the middle of subtrees.
  for (const upTo of [23, 39, TRANSACTIONS]) {
    while (ids.length < upTo) await post();
    await grow();
  }
}, 120_000);
afterEach(async () => {
  await books.close();
});

const post = async (): Promise<void> => {
  const { transactionId } = await books.post(`test:${ids.length + 1}`, [['psp:sim:receivable', 'fees:revenue', 100]]);
  ids.push(transactionId);
};
const grow = async () => await growTree(books.ownerOf('ledger'), KEY);
const audit = async (): Promise<readonly Finding[]> =>
  await books.audit(treeExtends, { checkpointKey: parseVerifierKey(KEY.verifierKey) });

/** What no role of a service may do, and no owner by mistake. */
const against = async (table: string, statement: string, parameters: readonly unknown[] = []): Promise<void> => {
  await books.write('ledger', `ALTER TABLE ${table} DISABLE TRIGGER USER`);
  await books.write('ledger', statement, parameters);
  await books.write('ledger', `ALTER TABLE ${table} ENABLE TRIGGER USER`);
};

it('finds nothing in a tree that follows its journal', async () => {
  expect(await audit()).toEqual([]);
  expect(await grow()).toEqual({ size: TRANSACTIONS, behind: 0 });
});

it('lets nobody change the tree by mistake', async () => {
  await expect(books.write('ledger', 'DELETE FROM ledger_tree')).rejects.toThrow(/DELETE refused/);
  await expect(books.write('ledger', `UPDATE ledger_checkpoints SET note = ''`)).rejects.toThrow(/UPDATE refused/);
});

describe('finds', () => {
  it('the one transaction of which an old entry was changed', async () => {
    await against('entries', 'UPDATE entries SET amount = amount + 1 WHERE position = 3 AND line = 1');
    expect(await audit()).toEqual([
      {
        problem: 'the transaction is not the one whose leaf is in the tree',
        ids: { transaction: ids[2], position: '3' },
      },
    ]);
  });

  it('an entry and a transaction that were taken out', async () => {
    await against('entries', 'DELETE FROM entries WHERE position IN (7, 8)');
    await against('transactions', 'DELETE FROM transactions WHERE position = 8');
    expect(await audit()).toEqual([
      {
        problem: 'the transaction is not the one whose leaf is in the tree',
        ids: { transaction: ids[6], position: '7' },
      },
      {
        problem: 'the tree has a leaf for a transaction that is not in the journal',
        ids: { transaction: 'none', position: '8' },
      },
    ]);
  });

  it('another code under an account that has entries', async () => {
    await books.write('ledger', `UPDATE accounts SET code = 'fees:other' WHERE code = 'fees:revenue'`);
    expect(await audit()).toHaveLength(TRANSACTIONS);
  });

  it('a leaf that was taken away, and a node', async () => {
    await against('ledger_tree', 'DELETE FROM ledger_tree WHERE level = 0 AND index = 5 OR level = 4 AND index = 1');
    expect(await audit()).toEqual([
      { problem: 'the leaf of the transaction is missing in the tree', ids: { transaction: ids[5], position: '6' } },
      { problem: 'the node is missing in the tree', ids: { node: '4/1' } },
    ]);
  });

  it('a change for which the leaf was put right: the checkpoints remember', async () => {
    await against('entries', 'UPDATE entries SET amount = amount + 1 WHERE position = 30');
    const { readLeafTransactions } = await import('../../apps/ledger/src/store/leaf-transactions.js');
    const { transactionLeafHash } = await import('@payflow/ledger-proof');
    const [changed] = await readLeafTransactions(books.ownerOf('ledger'), 29n, 1);
    await against('ledger_tree', 'UPDATE ledger_tree SET node_hash = $1 WHERE level = 0 AND index = 29', [
      transactionLeafHash(changed!),
    ]);
    const problem = 'what was signed is not the root of the leaves up to there: it does not extend the one before';
    expect(await audit()).toEqual(
      expect.arrayContaining([
        { problem, ids: { checkpoint: '39' } },
        { problem, ids: { checkpoint: '40' } },
      ]),
    );
    expect((await audit()).some(({ ids: { checkpoint } }) => checkpoint === '23')).toBe(false);
  });

  it('a checkpoint that was replaced, by a stranger’s or by one of another tree', async () => {
    const root = Buffer.alloc(32, 1);
    const replace = async (size: number, note: string): Promise<void> =>
      await against('ledger_checkpoints', 'UPDATE ledger_checkpoints SET note = $2, root_hash = $3 WHERE size = $1', [
        size,
        note,
        root,
      ]);
    await replace(23, signCheckpoint({ size: 23, root }, OTHERS_KEY));
    await replace(39, signCheckpoint({ size: 39, root }, KEY));
    const findings = await audit();
    expect(findings.map(({ ids: { checkpoint } }) => checkpoint)).toEqual(['23', '39']);
    expect(findings[0]?.problem).toMatch(/not signed by the ledger/);
    expect(findings[1]?.problem).toMatch(/does not extend the one before/);
  });

  it('a checkpoint that was taken away, and a journal that nobody signs for', async () => {
    await against('ledger_checkpoints', 'DELETE FROM ledger_checkpoints WHERE size = 40');
    const told = (await audit()).map(({ problem }) => problem);
    expect(told).toEqual([
      'the tree has 42 nodes, its checkpoints cover 41',
      'no checkpoint covers the transaction: the tree does not follow the journal',
    ]);
  });
});

describe('the ledger signs nothing more', () => {
  const expectFault = async (message: RegExp): Promise<void> => {
    await post();
    const before = await checkpoints();
    await expect(grow()).rejects.toThrow(TreeFaultError);
    await expect(grow()).rejects.toThrow(message);
    expect(await checkpoints()).toBe(before);
  };
  const checkpoints = async (): Promise<bigint | undefined> =>
    (await books.ownerOf('ledger').query<{ count: bigint }>('SELECT count(*) AS count FROM ledger_checkpoints'))[0]
      ?.count;

  it.each([
    [
      'its last checkpoint is gone',
      'ledger_checkpoints',
      'DELETE FROM ledger_checkpoints WHERE size = 40',
      /40 leaves.*39/,
    ],
    ['all are gone', 'ledger_checkpoints', 'DELETE FROM ledger_checkpoints', /40 leaves.*0/],
    [
      'the last one was replaced',
      'ledger_checkpoints',
      `UPDATE ledger_checkpoints SET note = replace(note, E'\\n40\\n', E'\\n41\\n')`,
      /is not ours/,
    ],
    [
      'the last one says something else than its row',
      'ledger_checkpoints',
      `UPDATE ledger_checkpoints SET root_hash = decode(repeat('00', 32), 'hex') WHERE size = 40`,
      /something else than its row/,
    ],
    [
      'a peak was changed',
      'ledger_tree',
      `UPDATE ledger_tree SET node_hash = sha256('x') WHERE level = 4`,
      /another root/,
    ],
    ['nodes are missing', 'ledger_tree', 'DELETE FROM ledger_tree WHERE level = 4', /missing in the tree/],
    ['the journal is shorter', 'journal_head', 'UPDATE journal_head SET position = 12', /ends at position 12/],
  ])('when %s', async (_what, table, statement, message) => {
    if (table === 'journal_head') {
      await books.write('ledger', statement);
      await expect(grow()).rejects.toThrow(message);
      return;
    }
    await against(table, statement);
    await expectFault(message);
  });

  it('by another key', async () => {
    await post();
    await expect(growTree(books.ownerOf('ledger'), OTHERS_KEY)).rejects.toThrow(/is not ours/);
  });
});

it('takes a long journal in portions, each a checkpoint', async () => {
  await books.write(
    'ledger',
    `INSERT INTO transactions (position, id, reference, content_hash, type, effective_at, recorded_at)
     SELECT n, 'ltx_' || n, 'long:' || n, sha256('x'), 'TRANSFER', now(), now() FROM generate_series(41, 40 + $1::int) n`,
    [LEAVES_PER_GROWTH + 7],
  );
  await books.write('ledger', 'UPDATE journal_head SET position = 40 + $1::int', [LEAVES_PER_GROWTH + 7]);
  expect(await grow()).toEqual({ size: 40 + LEAVES_PER_GROWTH, behind: 7 });
  expect(await grow()).toEqual({ size: 47 + LEAVES_PER_GROWTH, behind: 0 });
  expect(await audit()).toEqual([]);
});
