import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  dryRunQuerySchema,
  idSchema,
  ledgerApprovalSchema,
  type PostTransactionsRequest,
  postTransactionsSchema,
  type Principal,
  type TransactionResponse,
  transactionResultsSchema,
  transactionSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Idempotency, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { AskForApprovalHandler } from '../application/ask-for-approval.js';
import { PostTransactionsHandler } from '../application/post-transactions.js';
import { transactionResponse } from '../application/responses.js';
import { RevertTransactionHandler } from '../application/revert-transaction.js';
import { scopeOf } from '../application/viewer.js';
import { findLegs, findTransaction } from '../store/journal-reads.js';

const transactionIdSchema = idSchema('ltx');
const revertSchema = z.strictObject({}).meta({ id: 'RevertLedgerTransaction' });

@ApiTags('Ledger')
@Controller('ledger/transactions')
export class TransactionsController {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly postTransactions: PostTransactionsHandler,
    private readonly revertTransaction: RevertTransactionHandler,
    private readonly askForApproval: AskForApprovalHandler,
  ) {}

  @Post()
  @Access('ledger:post')
  @ApiOperation({
    operationId: 'postLedgerTransactions',
    summary: 'Post 1 to 1,000 transactions: a result for each, or all or none with `atomic`',
    description:
      'A reference posts once for ever: the same content again answers the transaction that was posted (`replayed`), other ' +
      'content is refused. With `dryRun=true` nothing is written and the answer is what would become of each. What a person ' +
      'sends is all or none, and waits until another person approves it at `/ledger/approvals`.',
  })
  @Answers(201, transactionResultsSchema, 'A result for each transaction, in their order. 200 for a dry run.')
  @Answers(202, ledgerApprovalSchema, "A person's: it waits for another person's approval.")
  async postLedgerTransactions(
    @Body({ schema: postTransactionsSchema }) request: PostTransactionsRequest,
    @Query({ schema: dryRunQuerySchema }) query: z.infer<typeof dryRunQuerySchema>,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (query.dryRun === 'true') {
      await reply.code(200).send(await this.postTransactions.rehearse({ request, principal }));
      return;
    }
    const identity = this.idempotency.identify({ meta, principal, body: request });
    const command = { request, principal, identity };
    await sendAnswer(
      reply,
      principal.kind === 'user' ? await this.askForApproval.posting(command) : await this.postTransactions.run(command),
    );
  }

  @Get(':transactionId')
  @Access('ledger:read')
  @ApiOperation({ operationId: 'getLedgerTransaction', summary: 'A transaction, what it belongs to, and its legs' })
  @Answers(
    200,
    transactionSchema,
    'The transaction. A merchant sees the legs on his own accounts, a customer those on his wallets.',
  )
  async getLedgerTransaction(
    @Param('transactionId', { schema: transactionIdSchema }) transactionId: string,
    @Caller() principal: Principal,
  ): Promise<TransactionResponse> {
    const transaction = await findTransaction(this.database, transactionId);
    if (transaction === undefined) throw new Problem('transaction_not_found');
    const legs = await findLegs(this.database, transaction, scopeOf(principal));
    if (legs.length === 0) throw new Problem('transaction_not_found');
    return transactionResponse(transaction, legs);
  }

  @Post(':transactionId/revert')
  @Access('ledger:post')
  @ApiOperation({
    operationId: 'revertLedgerTransaction',
    summary: 'Take a transaction back by a new one that moves the same amounts the other way; once',
  })
  @Answers(201, transactionSchema, 'The reversal.')
  @Answers(202, ledgerApprovalSchema, "A person's: it waits for another person's approval.")
  async revertLedgerTransaction(
    @Param('transactionId', { schema: transactionIdSchema }) transactionId: string,
    @Body({ schema: revertSchema }) request: z.infer<typeof revertSchema>,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const identity = this.idempotency.identify({ meta, principal, body: request });
    const command = { transactionId, principal, identity };
    await sendAnswer(
      reply,
      principal.kind === 'user'
        ? await this.askForApproval.reversal(command)
        : await this.revertTransaction.run(command),
    );
  }
}
