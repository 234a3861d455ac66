import {
  type Checkpoint,
  CompactRange,
  type NodeAddress,
  NoteError,
  openCheckpoint,
  transactionLeafHash,
  type VerifierKey,
} from '@payflow/ledger-proof';
import type { Sql } from '@payflow/postgres';

import { readLeafTransactions } from '../../apps/ledger/src/store/leaf-transactions.js';
import { isKept, keptLevelsOf } from '../../apps/ledger/src/store/tree.js';
import type { Finding, Invariant } from './invariant.ts';

const LEAVES_PER_PORTION = 2_000;
const FINDINGS_MAX = 1_000;
const MS_PER_SECOND = 1_000;

/**
 * Invariant 9. The tree is built again from the journal's own rows, a portion at a time, and held against what the ledger keeps:
 * each node, and each checkpoint at its size. Where a leaf is not that of its transaction, it is the transaction that was changed
 * when the checkpoints agree with the leaf; so the tree goes on with the leaf that is kept, and one change is one finding. A
 * checkpoint whose root is that of the first leaves of the one tree extends the one before.
 *
 * While traffic runs: everything is read in one snapshot, and the tree may be behind the journal for as long as the grace.
 */
export const treeExtends: Invariant = {
  number: 9,
  title: 'The Merkle tree verifies, and extends its past',
  why: 'Somebody could change an old entry, and nobody outside could tell.',
  async *check({ ledger, checkpointKey, graceMs, compared, progress, note }) {
    if (checkpointKey === undefined) {
      note('this installation has no key of checkpoints');
      return;
    }
    yield* await ledger.snapshot(async (sql) => {
      const walk = new TreeWalk(sql, checkpointKey, progress);
      await walk.toTheEnd(graceMs);
      compared('leaves', walk.leaves);
      compared('checkpoints', walk.checkpoints);
      return walk.findings;
    });
  },
};

interface CheckpointRow {
  readonly size: bigint;
  readonly root: Buffer;
  readonly note: string;
}

class TreeWalk {
  readonly findings: Finding[] = [];
  checkpoints = 0;
  private readonly tree = new CompactRange();
  /** Kept nodes that belong to the leaves walked over. */
  private nodes = 0;
  private readonly sql: Sql;
  private readonly key: VerifierKey;
  private readonly progress: (sentence: string) => void;

  constructor(sql: Sql, key: VerifierKey, progress: (sentence: string) => void) {
    this.sql = sql;
    this.key = key;
    this.progress = progress;
  }

  get leaves(): number {
    return this.tree.size;
  }

  async toTheEnd(graceMs: number): Promise<void> {
    const signed = await this.signedSize();
    while (this.tree.size < signed && this.findings.length < FINDINGS_MAX) {
      await this.portion(Math.min(signed - this.tree.size, LEAVES_PER_PORTION));
      this.progress(`${String(this.tree.size)} of ${String(signed)} leaves`);
    }
    if (this.findings.length >= FINDINGS_MAX) return;
    await this.requireNothingBeyond();
    await this.requireFollowed(signed, graceMs);
  }

  private async signedSize(): Promise<number> {
    const [row] = await this.sql.query<{ size: bigint }>(
      'SELECT coalesce(max(size), 0)::bigint AS size FROM ledger_checkpoints',
    );
    return Number(row?.size ?? 0n);
  }

  private async portion(count: number): Promise<void> {
    const begin = this.tree.size;
    const transactions = await readLeafTransactions(this.sql, BigInt(begin), count);
    const hashes = new Map(
      transactions.map((one) => [Number(one.position) - 1, { id: one.id, hash: transactionLeafHash(one) }]),
    );
    const kept = await this.keptNodes(begin, begin + count);
    const checkpoints = await this.checkpointsIn(begin, begin + count);
    for (let index = begin; index < begin + count; index += 1) {
      const leaf = kept.get(keyOf({ level: 0, index }));
      const journal = hashes.get(index);
      this.compareLeaf(index, leaf, journal);
      // Without both the tree cannot go on; what is found is told, and its checkpoints do not fit.
      this.tree.append(leaf ?? journal?.hash ?? Buffer.alloc(32), (address, hash) => {
        if (isKept(address)) this.compareNode(address, hash, kept);
      });
      const checkpoint = checkpoints.get(this.tree.size);
      if (checkpoint !== undefined) this.compareCheckpoint(checkpoint);
    }
  }

  private compareLeaf(
    index: number,
    leaf: Buffer | undefined,
    journal: { readonly id: string; readonly hash: Buffer } | undefined,
  ): void {
    const ids = { transaction: journal?.id ?? 'none', position: String(index + 1) };
    if (journal === undefined) this.found('the tree has a leaf for a transaction that is not in the journal', ids);
    else if (leaf === undefined) this.found('the leaf of the transaction is missing in the tree', ids);
    else if (!leaf.equals(journal.hash)) this.found('the transaction is not the one whose leaf is in the tree', ids);
  }

  private compareNode(address: NodeAddress, hash: Buffer, kept: ReadonlyMap<string, Buffer>): void {
    const node = kept.get(keyOf(address));
    if (node !== undefined) this.nodes += 1;
    if (address.level === 0 || node?.equals(hash) === true) return;
    this.found(node === undefined ? 'the node is missing in the tree' : 'the node is not the hash of those below it', {
      node: keyOf(address),
    });
  }

  private compareCheckpoint({ size, root, note }: CheckpointRow): void {
    this.checkpoints += 1;
    const ids = { checkpoint: String(size) };
    const told = this.opened(note, ids);
    if (told === undefined) return;
    if (BigInt(told.size) !== size || !told.root.equals(root))
      this.found('the signed note says something else than its row', ids);
    if (!told.root.equals(this.tree.root()))
      this.found('what was signed is not the root of the leaves up to there: it does not extend the one before', ids);
  }

  private opened(note: string, ids: Finding['ids']): Checkpoint | undefined {
    try {
      return openCheckpoint(note, this.key);
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      this.found(`the checkpoint is not signed by the ledger: ${error.message}`, ids);
      return undefined;
    }
  }

  /** A leaf or a node that no checkpoint covers was written by somebody else, or a checkpoint was taken away. */
  private async requireNothingBeyond(): Promise<void> {
    const [row] = await this.sql.query<{ nodes: bigint; leaves: bigint }>(
      `SELECT count(*) AS nodes, coalesce(max(index) FILTER (WHERE level = 0) + 1, 0)::bigint AS leaves FROM ledger_tree`,
    );
    if (row === undefined || Number(row.nodes) === this.nodes) return;
    this.found(`the tree has ${row.nodes} nodes, its checkpoints cover ${this.nodes}`, {
      checkpoint: String(this.tree.size),
      leaves: String(row.leaves),
    });
  }

  private async requireFollowed(signed: number, graceMs: number): Promise<void> {
    const rows = await this.sql.query<{ id: string; position: bigint }>(
      `SELECT id, position FROM transactions
        WHERE position > $1 AND recorded_at < now() - make_interval(secs => $2)
        ORDER BY position LIMIT 1`,
      [signed, graceMs / MS_PER_SECOND],
    );
    for (const { id, position } of rows)
      this.found('no checkpoint covers the transaction: the tree does not follow the journal', {
        transaction: id,
        position: String(position),
      });
  }

  private async keptNodes(begin: number, end: number): Promise<ReadonlyMap<string, Buffer>> {
    // Of each level those that are complete with one of these leaves.
    const rows = await this.sql.query<{ level: number; index: bigint; hash: Buffer }>(
      `SELECT n.level, n.index, n.node_hash AS hash
         FROM unnest($3::smallint[]) AS wanted (level)
         JOIN ledger_tree n ON n.level = wanted.level
              AND n.index >= $1::bigint >> wanted.level AND n.index < $2::bigint >> wanted.level`,
      [begin, end, keptLevelsOf(end)],
    );
    return new Map(rows.map(({ level, index, hash }) => [keyOf({ level, index: Number(index) }), hash]));
  }

  private async checkpointsIn(behind: number, last: number): Promise<ReadonlyMap<number, CheckpointRow>> {
    const rows = await this.sql.query<CheckpointRow>(
      'SELECT size, root_hash AS root, note FROM ledger_checkpoints WHERE size > $1 AND size <= $2',
      [behind, last],
    );
    return new Map(rows.map((row) => [Number(row.size), row]));
  }

  private found(problem: string, ids: Finding['ids']): void {
    this.findings.push({ problem, ids });
  }
}

const keyOf = ({ level, index }: NodeAddress): string => `${String(level)}/${String(index)}`;
