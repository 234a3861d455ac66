import {
  type Checkpoint,
  CompactRange,
  consistencyProof,
  HASH_BYTES,
  type NodeAddress,
  NoteError,
  type NoteKey,
  openCheckpoint,
  parseVerifierKey,
  peaksOf,
  signCheckpoint,
  transactionLeafHash,
  verifyConsistency,
} from '@payflow/ledger-proof';
import type { Database, Tx } from '@payflow/postgres';

import { readLeafTransactions } from '../store/leaf-transactions.js';
import {
  type CheckpointRow,
  insertCheckpoint,
  insertNodes,
  isKept,
  planByIndex,
  readEnds,
  readHashes,
  required,
  type TreeNode,
  tryLockTree,
} from '../store/tree.js';

/** The tree, its checkpoints and the journal do not fit together. Nothing is signed until people have found out why. */
export class TreeFaultError extends Error {
  override readonly name = 'TreeFaultError';
}

/** What is hashed at a time: some milliseconds of the process in which the committer works. */
export const LEAVES_PER_GROWTH = 500;

export interface Growth {
  /** The signed tree has so many leaves now. */
  readonly size: number;
  /** So many transactions wait to be in it. */
  readonly behind: number;
}

/**
 * Adds the next transactions of the journal to the tree and signs a checkpoint of it, in one transaction, outside that of the
 * committer. Before it signs: the last checkpoint is ours, the kept nodes still hash to its root, and the new tree extends it by a
 * proof that the verifier of everybody else accepts.
 *
 * @returns undefined when another instance is at it
 * @throws TreeFaultError
 */
export const growTree = async (database: Database, key: NoteKey): Promise<Growth | undefined> =>
  await database.transaction(async (tx) => {
    const [isOurs] = await Promise.all([tryLockTree(tx), planByIndex(tx)]);
    if (!isOurs) return undefined;
    const ends = await readEnds(tx);
    const before = ends.checkpoint === undefined ? undefined : checkpointOf(ends.checkpoint, key);
    const size = before?.size ?? 0;
    if (ends.leaves !== BigInt(size))
      throw new TreeFaultError(`the tree has ${ends.leaves} leaves, its last checkpoint says ${size}`);
    if (ends.position < BigInt(size))
      throw new TreeFaultError(`the journal ends at position ${ends.position}, the tree has ${size} leaves`);
    const waiting = Number(ends.position) - size;
    if (waiting === 0) return { size, behind: 0 };
    const nodes = new Map<string, TreeNode>();
    const tree = await treeAt(tx, size, before, (node) => nodes.set(keyOf(node), node));
    const added: TreeNode[] = [];
    for (const leaf of await readLeaves(tx, size, Math.min(waiting, LEAVES_PER_GROWTH)))
      tree.append(leaf, (address, hash) => {
        const node = { ...address, hash };
        nodes.set(keyOf(address), node);
        if (isKept(address)) added.push(node);
      });
    const root = tree.root();
    if (before !== undefined) requireExtension(before, { size: tree.size, root }, nodes);
    await Promise.all([
      insertNodes(tx, added),
      insertCheckpoint(tx, { size: tree.size, root, note: signCheckpoint({ size: tree.size, root }, key) }),
    ]);
    return { size: tree.size, behind: waiting - (tree.size - size) };
  });

/** What our own last checkpoint says. @throws TreeFaultError when it is not ours, or says something else than its row */
const checkpointOf = (row: CheckpointRow, key: NoteKey): Checkpoint => {
  try {
    const checkpoint = openCheckpoint(row.note, parseVerifierKey(key.verifierKey));
    if (BigInt(checkpoint.size) === row.size && checkpoint.root.equals(row.root)) return checkpoint;
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new TreeFaultError(`the checkpoint of ${row.size} leaves is not ours: ${cause.message}`, { cause });
  }
  throw new TreeFaultError(`the checkpoint of ${row.size} leaves says something else than its row`);
};

/** The tree as it was signed, to go on from. */
const treeAt = async (
  tx: Tx,
  size: number,
  before: Checkpoint | undefined,
  onPeak: (node: TreeNode) => void,
): Promise<CompactRange> => {
  if (before === undefined) return new CompactRange();
  const peaks = peaksOf(size);
  const hashOf = required(
    await readHashes(tx, peaks),
    ({ level, index }) => new TreeFaultError(`nodes below ${level}/${index} are missing in the tree`),
  );
  const tree = new CompactRange(size, peaks.map(hashOf));
  if (!tree.root().equals(before.root))
    throw new TreeFaultError(`the tree of ${size} leaves has another root than its checkpoint`);
  for (const peak of peaks) onPeak({ ...peak, hash: hashOf(peak) });
  return tree;
};

const readLeaves = async (tx: Tx, size: number, count: number): Promise<readonly Buffer[]> => {
  const transactions = await readLeafTransactions(tx, BigInt(size), count);
  return Array.from({ length: count }, (_, nth) => {
    const position = size + nth + 1;
    const transaction = transactions[nth];
    if (transaction?.position !== String(position))
      throw new TreeFaultError(`the journal has no transaction at position ${position}`);
    return transactionLeafHash(transaction);
  });
};

const requireExtension = (
  before: Checkpoint,
  after: { readonly size: number; readonly root: Buffer },
  nodes: ReadonlyMap<string, TreeNode>,
): void => {
  const proof = consistencyProof(
    (address) => nodes.get(keyOf(address))?.hash ?? Buffer.alloc(HASH_BYTES),
    before.size,
    after.size,
  );
  const claim = { from: before.size, to: after.size, fromRoot: before.root, toRoot: after.root };
  if (!verifyConsistency(claim, proof))
    throw new TreeFaultError(`the tree of ${after.size} leaves does not extend that of ${before.size}`);
};

const keyOf = ({ level, index }: NodeAddress): string => `${level}:${index}`;
