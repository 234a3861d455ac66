import { HASH_BYTES, type HashOf, type NodeAddress, nodeHash } from '@payflow/ledger-proof';
import type { Sql, Tx } from '@payflow/postgres';

import { numberArray } from './arrays.js';

/** Of each so many levels one is kept; a node between is hashed from at most eight that are. */
const KEPT_LEVELS = 4;

export const isKept = ({ level }: NodeAddress): boolean => level % KEPT_LEVELS === 0;

/** The levels of which a tree of so many leaves keeps nodes. */
export const keptLevelsOf = (leaves: number): readonly number[] => {
  const levels: number[] = [];
  for (let level = 0; 2 ** level <= leaves; level += KEPT_LEVELS) levels.push(level);
  return levels;
};

/** A node with its hash. */
export interface TreeNode extends NodeAddress {
  readonly hash: Buffer;
}

export interface CheckpointRow {
  readonly size: bigint;
  readonly root: Buffer;
  readonly note: string;
  readonly signed_at: Date;
}

/** Any number that no other lock of the database uses. */
const TREE_LOCK = 7_201_520;

/** Of several instances one makes the tree grow, until its transaction ends. */
export const tryLockTree = async (tx: Tx): Promise<boolean> => {
  const [lock] = await tx.query<{ acquired: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS acquired', [TREE_LOCK]);
  return lock?.acquired === true;
};

/**
 * Sessions keep their plans, perhaps since the tables were empty; this transaction makes and uses them as for tables of any size.
 */
export const planByIndex = async (tx: Tx): Promise<void> => {
  await tx.execute(
    `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
            set_config('enable_mergejoin', 'off', true)`,
  );
};

/** Where the journal, the tree and the checkpoints end. */
export interface Ends {
  /** Positions have no gaps and are handed out under the head's lock, so that all up to this one are committed. */
  readonly position: bigint;
  readonly leaves: bigint;
  readonly checkpoint: CheckpointRow | undefined;
}

export const readEnds = async (sql: Sql): Promise<Ends> => {
  const [checkpoints, ends] = await Promise.all([
    listCheckpoints(sql, null, 1),
    sql.query<{ position: bigint; leaves: bigint }>(
      `SELECT (SELECT position FROM journal_head) AS position,
              coalesce((SELECT index + 1 FROM ledger_tree WHERE level = 0 ORDER BY index DESC LIMIT 1), 0) AS leaves`,
    ),
  ]);
  const [end] = ends;
  if (end === undefined) throw new Error('invariant: the journal has a head');
  return { ...end, checkpoint: checkpoints[0] };
};

/** Newest first: those of trees smaller than `below`. */
export const listCheckpoints = async (
  sql: Sql,
  below: bigint | null,
  limit: number,
): Promise<readonly CheckpointRow[]> =>
  await sql.query<CheckpointRow>(
    `SELECT size, root_hash AS root, note, signed_at FROM ledger_checkpoints
      WHERE size < coalesce($1::bigint, 9223372036854775807) ORDER BY size DESC LIMIT $2`,
    [below, limit],
  );

/** The leaf of a transaction or of the transaction that an entry belongs to: its position. */
export const findPosition = async (sql: Sql, transactionOrEntryId: string): Promise<bigint | undefined> => {
  const [row] = await sql.query<{ position: bigint }>(
    `SELECT position FROM transactions WHERE id = $1
      UNION ALL
     SELECT position FROM entries WHERE id = $1
      LIMIT 1`,
    [transactionOrEntryId],
  );
  return row?.position;
};

/** The hashes of these nodes. One of a node that is not there is asked for: `undefined` says so. */
export const readHashes = async (
  sql: Sql,
  nodes: readonly NodeAddress[],
): Promise<(address: NodeAddress) => Buffer | undefined> => {
  const wanted = nodes.flatMap(keptBelow);
  const rows = await sql.query<{ level: number; index: bigint; hash: Buffer }>(
    `SELECT n.level, n.index, n.node_hash AS hash
       FROM unnest($1::smallint[], $2::bigint[]) AS wanted (level, index)
      CROSS JOIN LATERAL (
        SELECT * FROM ledger_tree t WHERE t.level = wanted.level AND t.index = wanted.index LIMIT 1) AS n`,
    [numberArray(wanted, ({ level }) => level), numberArray(wanted, ({ index }) => index)],
  );
  const kept = new Map(rows.map(({ level, index, hash }) => [keyOf({ level, index: Number(index) }), hash] as const));
  return (address) => {
    const hashes = keptBelow(address).map((below) => kept.get(keyOf(below)));
    return hashes.every((hash) => hash !== undefined) ? folded(hashes) : undefined;
  };
};

/** The kept nodes that a node consists of: itself, or two, four or eight. */
const keptBelow = ({ level, index }: NodeAddress): readonly NodeAddress[] => {
  const steps = level % KEPT_LEVELS;
  const count = 2 ** steps;
  return Array.from({ length: count }, (_, nth) => ({ level: level - steps, index: index * count + nth }));
};

const folded = (hashes: readonly Buffer[]): Buffer | undefined => {
  let row = hashes;
  while (row.length > 1) {
    const below = row;
    row = below.flatMap((left, at) => {
      const right = below[at + 1];
      return at % 2 === 0 && right !== undefined ? [nodeHash(left, right)] : [];
    });
  }
  return row[0];
};

const keyOf = ({ level, index }: NodeAddress): string => `${level}:${index}`;

/** Hashes that must be there. */
export const required =
  (hashOf: (address: NodeAddress) => Buffer | undefined, missing: (address: NodeAddress) => Error): HashOf =>
  (address) => {
    const hash = hashOf(address);
    if (hash === undefined) throw missing(address);
    return hash;
  };

/** Nodes of any kept level, in one statement. */
export const insertNodes = async (tx: Tx, nodes: readonly TreeNode[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO ledger_tree (level, index, node_hash)
     SELECT n.level, n.index, substring($3::bytea FROM (n.nth::int - 1) * ${HASH_BYTES} + 1 FOR ${HASH_BYTES})
       FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS n (level, index, nth)`,
    [
      numberArray(nodes, ({ level }) => level),
      numberArray(nodes, ({ index }) => index),
      Buffer.concat(nodes.map(({ hash }) => hash)),
    ],
  );
};

export const insertCheckpoint = async (
  tx: Tx,
  { size, root, note }: { readonly size: number; readonly root: Buffer; readonly note: string },
): Promise<void> => {
  await tx.execute('INSERT INTO ledger_checkpoints (size, root_hash, note) VALUES ($1, $2, $3)', [size, root, note]);
};
