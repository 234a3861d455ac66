import { Injectable } from '@nestjs/common';
import type { ConsistencyProofResponse, InclusionProofResponse } from '@payflow/contracts';
import {
  consistencyProof,
  encodeTransaction,
  type HashOf,
  inclusionProof,
  leafHash,
  nodesAskedFor,
  verifyInclusion,
} from '@payflow/ledger-proof';
import { Database, type Sql } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { readLeafTransactions } from '../store/leaf-transactions.js';
import { type CheckpointRow, findPosition, listCheckpoints, readHashes, required } from '../store/tree.js';
import { JournalTree } from './journal-tree.js';

/** Proofs for people outside: each read in one moment, from the kept nodes. */
@Injectable()
export class ProveHandler {
  constructor(
    private readonly database: Database,
    private readonly tree: JournalTree,
  ) {}

  /** That a transaction is in the tree of the last checkpoint. */
  async inclusion(transactionOrEntryId: string): Promise<InclusionProofResponse> {
    return await this.database.snapshot(async (sql) => {
      const [position, checkpoint] = await Promise.all([findPosition(sql, transactionOrEntryId), lastCheckpoint(sql)]);
      if (position === undefined) throw new Problem('transaction_not_found');
      if (checkpoint === undefined || position > checkpoint.size) throw new Problem('not_in_tree_yet');
      const [transaction] = await readLeafTransactions(sql, position - 1n, 1);
      if (transaction === undefined) throw new Error(`invariant: there is a transaction at position ${position}`);
      const [index, size] = [Number(position) - 1, Number(checkpoint.size)];
      const proof = await readProof(sql, (hashOf) => inclusionProof(hashOf, index, size));
      const leaf = encodeTransaction(transaction);
      // What would not verify is not handed out: the audit says what was changed.
      if (!verifyInclusion({ index, size, leafHash: leafHash(leaf), root: checkpoint.root }, proof))
        throw new Error(`invariant: the transaction at position ${position} is the one in the tree`);
      return {
        transactionId: transaction.id,
        leafIndex: index,
        leaf: leaf.toString('base64'),
        proof: proof.map(base64),
        checkpoint: checkpoint.note,
        verifierKey: this.tree.key.verifierKey,
      };
    });
  }

  /** That the tree of `to` leaves begins with that of `from`. */
  async consistency(from: number, to: number): Promise<ConsistencyProofResponse> {
    return await this.database.snapshot(async (sql) => {
      const checkpoint = await lastCheckpoint(sql);
      if (checkpoint === undefined || BigInt(to) > checkpoint.size) throw new Problem('not_in_tree_yet');
      const proof = await readProof(sql, (hashOf) => consistencyProof(hashOf, from, to));
      return { from, to, proof: proof.map(base64) };
    });
  }
}

const lastCheckpoint = async (sql: Sql): Promise<CheckpointRow | undefined> => (await listCheckpoints(sql, null, 1))[0];

const readProof = async (sql: Sql, proofBy: (hashOf: HashOf) => readonly Buffer[]): Promise<readonly Buffer[]> => {
  const hashOf = await readHashes(sql, nodesAskedFor(proofBy));
  return proofBy(
    required(hashOf, ({ level, index }) => new Error(`invariant: the tree has all nodes below ${level}/${index}`)),
  );
};

const base64 = (bytes: Buffer): string => bytes.toString('base64');
