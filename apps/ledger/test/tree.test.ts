import {
  decodeTransaction,
  leafHash,
  openCheckpoint,
  parseVerifierKey,
  verifyConsistency,
  verifyInclusion,
} from '@payflow/ledger-proof';
import { Database } from '@payflow/postgres';
import { eventually, merchantPrincipal, userPrincipal } from '@payflow/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { growTree } from '../src/application/grow-tree.js';
import { JournalTree } from '../src/application/journal-tree.js';
import { LedgerUnderTest, move, transaction } from './ledger-under-test.js';

/** Of store/tree.ts: who holds it keeps the tree where it is. */
const TREE_LOCK = 7_201_520;

let ledger: LedgerUnderTest;
beforeAll(async () => {
  ledger = await LedgerUnderTest.start();
  await ledger.openAccount('shop:till');
  await ledger.openAccount('shop:world');
});
afterAll(async () => {
  await ledger.stop();
});

let posted = 0;
const post = async (count: number): Promise<readonly string[]> => {
  const transactions = Array.from({ length: count }, () => {
    posted += 1;
    return transaction(`tree-${posted}`, move('shop:world', 'shop:till', posted));
  });
  const { status, body } = await ledger.post('/ledger/transactions', { transactions });
  expect(status).toBe(201);
  return (body['results'] as { transactionId: string }[]).map(({ transactionId }) => transactionId);
};

interface Signed {
  readonly size: number;
  readonly root: Buffer;
}

/** The newest checkpoint, its signature verified, once it covers all that was posted. */
const covered = async (): Promise<Signed> =>
  await eventually(async () => {
    const { body } = await ledger.get('/ledger/checkpoints?limit=1');
    const [newest] = body['data'] as { note: string }[];
    const checkpoint = openCheckpoint(newest?.note ?? '', parseVerifierKey(String(body['verifierKey'])));
    expect(checkpoint.size).toBe(posted);
    return checkpoint;
  });

const hashes = (value: unknown): readonly Buffer[] => (value as string[]).map((hash) => Buffer.from(hash, 'base64'));

describe('the tree', () => {
  it('follows the journal by itself, and proves each transaction and entry to a third party', async () => {
    const ids = [...(await post(21)), ...(await post(1))];
    await covered();
    for (const [index, id] of ids.entries()) {
      const { status, body } = await ledger.get(`/ledger/proof/${id}`);
      expect(status).toBe(200);
      const leaf = Buffer.from(String(body['leaf']), 'base64');
      const { size, root } = openCheckpoint(String(body['checkpoint']), parseVerifierKey(String(body['verifierKey'])));
      expect(verifyInclusion({ index, size, leafHash: leafHash(leaf), root }, hashes(body['proof']))).toBe(true);
      expect(body['leafIndex']).toBe(index);
      const [debit, credit] = decodeTransaction(leaf).entries;
      expect([debit, credit]).toMatchObject([
        { account: 'shop:world', direction: 'debit', amount: String(index + 1), currency: 'USD' },
        { account: 'shop:till', direction: 'credit', amount: String(index + 1), currency: 'USD' },
      ]);
      const ofEntry = await ledger.get(`/ledger/proof/${String(credit?.id)}`);
      expect(ofEntry.body['leaf']).toBe(body['leaf']);
    }
  });

  it('proves of each two sizes that the larger extends the smaller', async () => {
    const first = await covered();
    await post(7);
    const last = await covered();
    const { body } = await ledger.get(`/ledger/consistency?from=${first.size}&to=${last.size}`);
    const claim = { from: first.size, to: last.size, fromRoot: first.root, toRoot: last.root };
    expect(verifyConsistency(claim, hashes(body['proof']))).toBe(true);
    for (let from = 1; from <= last.size; from += 1)
      expect((await ledger.get(`/ledger/consistency?from=${from}&to=${last.size}`)).status).toBe(200);
  });

  it('lists its checkpoints, newest first, in pages', async () => {
    await covered();
    await post(1);
    const { size } = await covered();
    const [newest, before] = (await ledger.get('/ledger/checkpoints?limit=2')).body['data'] as { size: number }[];
    expect(newest?.size).toBe(size);
    const { body } = await ledger.get(`/ledger/checkpoints?limit=1&below=${size}`);
    expect(body['data']).toEqual([before]);
  });

  it('says when it does not reach so far yet, and when there is nothing to prove', async () => {
    const holder = await ledger.database.dedicatedClient();
    try {
      await holder.query('SELECT pg_advisory_lock($1)', [TREE_LOCK]);
      const [waiting] = await post(1);
      expect((await ledger.get(`/ledger/proof/${String(waiting)}`)).body['code']).toBe('not_in_tree_yet');
      const beyond = await ledger.get(`/ledger/consistency?from=1&to=${posted}`);
      expect(beyond).toMatchObject({ status: 409, body: { code: 'not_in_tree_yet' } });
      await holder.query('SELECT pg_advisory_unlock($1)', [TREE_LOCK]);
    } finally {
      holder.release(true);
    }
    await covered();
    expect((await ledger.get('/ledger/proof/ltx_01kxyz6w3hf8btq2v9m4n7r5sd')).body['code']).toBe(
      'transaction_not_found',
    );
    for (const wrong of ['/ledger/consistency?from=2&to=1', '/ledger/consistency?from=0&to=1', '/ledger/proof/pay_1'])
      expect((await ledger.get(wrong)).status).toBe(400);
  });

  it('shows its checkpoints to everybody who reads the ledger, and whole transactions to those who see everything', async () => {
    const [id] = await post(1);
    await covered();
    for (const somebody of [merchantPrincipal('mer_1'), userPrincipal('usr_1', 'customer')]) {
      expect((await ledger.get('/ledger/checkpoints', somebody)).status).toBe(200);
      expect((await ledger.get('/ledger/consistency?from=1&to=2', somebody)).status).toBe(200);
      expect((await ledger.get(`/ledger/proof/${String(id)}`, somebody)).status).toBe(404);
    }
  });

  it('is not changed by the role that writes it', async () => {
    for (const change of ['UPDATE ledger_tree SET index = 0', 'DELETE FROM ledger_checkpoints', 'TRUNCATE ledger_tree'])
      await expect(ledger.database.execute(change)).rejects.toThrow(/permission denied/);
  });

  it('grows once, however many are at it', async () => {
    await post(30);
    const { key } = ledger.app.get(JournalTree);
    await Promise.all(Array.from({ length: 6 }, async () => await growTree(ledger.database, key)));
    await covered();
    const [row] = await ledger.database.query<{ leaves: bigint }>(
      'SELECT count(*) AS leaves FROM ledger_tree WHERE level = 0',
    );
    expect(row?.leaves).toBe(BigInt(posted));
  });
});

it('signs nothing more when the tree was changed behind its back, and says so; posting goes on', async () => {
  const { size } = await covered();
  const owner = await Database.connect({
    url: ledger.databases.ownerUrl,
    applicationName: 'tree-test',
    poolSizeMax: 1,
  });
  try {
    await owner.execute('ALTER TABLE ledger_tree DISABLE TRIGGER USER');
    await owner.execute(`UPDATE ledger_tree SET node_hash = sha256('x')`);
    await owner.execute('ALTER TABLE ledger_tree ENABLE TRIGGER USER');
  } finally {
    await owner.close();
  }
  await post(1);
  await eventually(async () => {
    const { body } = await ledger.get('/health/ready');
    expect(body['information']).toMatchObject({ tree: expect.stringMatching(/^stopped: .* another root/) });
  });
  const { payload } = await ledger.app.inject({ method: 'GET', url: '/metrics' });
  expect(payload).toMatch(/^payflow_ledger_tree_fault 1$/m);
  const { body } = await ledger.get('/ledger/checkpoints?limit=1');
  expect(body['data']).toMatchObject([{ size }]);
  await post(1);
});
