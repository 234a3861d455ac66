import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type CheckpointPage,
  checkpointPageSchema,
  type ConsistencyProofResponse,
  consistencyProofSchema,
  type ConsistencyQuery,
  consistencyQuerySchema,
  type InclusionProofResponse,
  inclusionProofSchema,
  type ListCheckpointsQuery,
  listCheckpointsQuerySchema,
  type Principal,
  proofOfSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem } from '@payflow/service';

import { JournalTree } from '../application/journal-tree.js';
import { ProveHandler } from '../application/prove.js';
import { seesEverything } from '../application/viewer.js';
import { listCheckpoints } from '../store/tree.js';

/** What a third party needs to check, offline, that an entry is in the journal and that no past entry was changed. */
@ApiTags('Ledger')
@Controller('ledger')
export class ProofsController {
  constructor(
    private readonly database: Database,
    private readonly tree: JournalTree,
    private readonly prove: ProveHandler,
  ) {}

  @Get('checkpoints')
  @Access('ledger:read')
  @ApiOperation({
    operationId: 'listLedgerCheckpoints',
    summary: "Signed checkpoints of the journal's Merkle tree, newest first",
  })
  @Answers(200, checkpointPageSchema, 'A page, and the key that verifies their signatures.')
  async listLedgerCheckpoints(
    @Query({ schema: listCheckpointsQuerySchema }) { below, limit }: ListCheckpointsQuery,
  ): Promise<CheckpointPage> {
    const rows = await listCheckpoints(this.database, below === undefined ? null : BigInt(below), limit);
    return {
      verifierKey: this.tree.key.verifierKey,
      data: rows.map(({ size, root, note, signed_at }) => ({
        size: Number(size),
        root: root.toString('base64'),
        note,
        signedAt: signed_at.toISOString(),
      })),
    };
  }

  @Get('proof/:entryId')
  @Access('ledger:read')
  @ApiOperation({
    operationId: 'proveLedgerEntry',
    summary: 'Proof that an entry, or a transaction, is in the journal as the last checkpoint has it',
    description:
      'The leaf is the transaction with all its entries, whoever they belong to: for staff and for the ledger client.',
  })
  @Answers(200, inclusionProofSchema, 'Leaf, proof and checkpoint: `payflow verify` checks them offline.')
  async proveLedgerEntry(
    @Param('entryId', { schema: proofOfSchema }) id: string,
    @Caller() principal: Principal,
  ): Promise<InclusionProofResponse> {
    if (!seesEverything(principal)) throw new Problem('transaction_not_found');
    return await this.prove.inclusion(id);
  }

  @Get('consistency')
  @Access('ledger:read')
  @ApiOperation({
    operationId: 'proveLedgerConsistency',
    summary: 'Proof that the tree of `to` leaves begins with the tree of `from` leaves: that nothing in it was changed',
  })
  @Answers(200, consistencyProofSchema, 'The proof. The roots stand in the checkpoints of these sizes.')
  async proveLedgerConsistency(
    @Query({ schema: consistencyQuerySchema }) { from, to }: ConsistencyQuery,
  ): Promise<ConsistencyProofResponse> {
    return await this.prove.consistency(from, to);
  }
}
