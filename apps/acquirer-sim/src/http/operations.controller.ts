import { setTimeout as wait } from 'node:timers/promises';

import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  acquirerAmountRequestSchema,
  type AcquirerAuthorizationRequest,
  acquirerAuthorizationRequestSchema,
  type AcquirerOperation,
  acquirerOperationSchema,
  acquirerReferenceSchema,
  acquirerVoidRequestSchema,
  bookPageSchema,
  listBookQuerySchema,
} from '@payflow/contracts';
import { type Currency, currencyOf } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import type { OperationAnswer } from '../application/answer-of.js';
import { AuthorizeCard } from '../application/authorize-card.js';
import { ChangeAuthorization } from '../application/change-authorization.js';
import { type AcquirerName, isAcquirer } from '../domain/acquirers.js';
import { bookLineOf, findOperation, listOperations, operationOf } from '../store/book.js';

type AmountRequest = z.infer<typeof acquirerAmountRequestSchema>;
type VoidRequest = z.infer<typeof acquirerVoidRequestSchema>;
type BookQuery = z.infer<typeof listBookQuerySchema>;
type BookPage = z.infer<typeof bookPageSchema>;

const authorizationIdSchema = z.string().regex(/^[a-z0-9-]{1,40}_[0-9a-f-]{36}$/);
const positionSchema = z.string().regex(/^\d{1,18}$/);

/**
 * The acquirer's side of `libs/contracts/src/http/acquirer.ts`. Its callers are not authenticated: a simulator holds
 * nobody's money, and it listens on loopback or inside the deployment's network, never behind the gateway.
 */
@ApiTags('Acquirer')
@Controller('acquirers/:acquirer')
export class OperationsController {
  constructor(
    private readonly authorizeCard: AuthorizeCard,
    private readonly changeAuthorization: ChangeAuthorization,
    private readonly database: Database,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  @Post('authorizations')
  @Public()
  @ApiOperation({ summary: 'Authorize a card; a decline is an answer, not an error' })
  @Answers(201, acquirerOperationSchema, 'The operation as it stands in the book: approved or declined.')
  async acquirerAuthorize(
    @Param('acquirer') acquirer: string,
    @Body({ schema: acquirerAuthorizationRequestSchema }) body: AcquirerAuthorizationRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AcquirerOperation> {
    const name = acquirerNamed(acquirer);
    await this.think();
    return answer(reply, await this.authorizeCard.run(name, body));
  }

  @Post('authorizations/:authorizationId/captures')
  @Public()
  @ApiOperation({ summary: 'Capture from an authorization' })
  @Answers(201, acquirerOperationSchema, 'The operation as it stands in the book: approved or declined.')
  async acquirerCapture(
    @Param('acquirer') acquirer: string,
    @Param('authorizationId', { schema: authorizationIdSchema }) authorizationId: string,
    @Body({ schema: acquirerAmountRequestSchema }) body: AmountRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AcquirerOperation> {
    const name = acquirerNamed(acquirer);
    await this.think();
    return answer(
      reply,
      await this.changeAuthorization.run(name, authorizationId, body.reference, {
        operation: 'capture',
        amountMinor: BigInt(body.amount),
        currency: knownCurrency(body.currency),
        final: body.final ?? false,
      }),
    );
  }

  @Post('authorizations/:authorizationId/refunds')
  @Public()
  @ApiOperation({ summary: 'Refund what was captured' })
  @Answers(201, acquirerOperationSchema, 'The operation as it stands in the book: approved or declined.')
  async acquirerRefund(
    @Param('acquirer') acquirer: string,
    @Param('authorizationId', { schema: authorizationIdSchema }) authorizationId: string,
    @Body({ schema: acquirerAmountRequestSchema }) body: AmountRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AcquirerOperation> {
    const name = acquirerNamed(acquirer);
    await this.think();
    return answer(
      reply,
      await this.changeAuthorization.run(name, authorizationId, body.reference, {
        operation: 'refund',
        amountMinor: BigInt(body.amount),
        currency: knownCurrency(body.currency),
      }),
    );
  }

  @Post('authorizations/:authorizationId/voids')
  @Public()
  @ApiOperation({ summary: 'Release what is not captured' })
  @Answers(201, acquirerOperationSchema, 'The operation as it stands in the book: approved or declined.')
  async acquirerVoid(
    @Param('acquirer') acquirer: string,
    @Param('authorizationId', { schema: authorizationIdSchema }) authorizationId: string,
    @Body({ schema: acquirerVoidRequestSchema }) body: VoidRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AcquirerOperation> {
    const name = acquirerNamed(acquirer);
    await this.think();
    return answer(
      reply,
      await this.changeAuthorization.run(name, authorizationId, body.reference, { operation: 'void' }),
    );
  }

  @Get('operations/:reference')
  @Public()
  @ApiOperation({ summary: 'What became of a reference; 404 when it never arrived' })
  @Answers(200, acquirerOperationSchema, 'The operation as it was first answered.')
  async acquirerInquire(
    @Param('acquirer') acquirer: string,
    @Param('reference', { schema: acquirerReferenceSchema }) reference: string,
  ): Promise<AcquirerOperation> {
    const row = await findOperation(this.database, acquirerNamed(acquirer), reference);
    if (row === undefined) throw new Problem('resource_not_found', { detail: 'Unknown reference.' });
    return operationOf(row);
  }

  @Get('operations')
  @Public()
  @ApiOperation({ summary: 'The book, newest first' })
  @Answers(200, bookPageSchema, 'A page of the book.')
  async acquirerBook(
    @Param('acquirer') acquirer: string,
    @Query({ schema: listBookQuerySchema }) query: BookQuery,
  ): Promise<BookPage> {
    const rows = await listOperations(
      this.database,
      acquirerNamed(acquirer),
      query,
      positionOf(query.cursor),
      query.limit + 1,
    );
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      data: page.map(bookLineOf),
      nextCursor: rows.length > query.limit && last !== undefined ? last.position.toString() : null,
    };
  }

  /** Before the effect, so that a caller who gives up early meets an operation that still happens. */
  private async think(): Promise<void> {
    if (this.config.ACQUIRER_LATENCY_MS > 0) await wait(this.config.ACQUIRER_LATENCY_MS);
  }
}

const answer = (reply: FastifyReply, { operation, replayed }: OperationAnswer): AcquirerOperation => {
  if (replayed) void reply.header('idempotent-replayed', 'true');
  return operation;
};

const acquirerNamed = (name: string): AcquirerName => {
  if (!isAcquirer(name)) throw new Problem('resource_not_found', { detail: 'Unknown acquirer.' });
  return name;
};

const knownCurrency = (code: string): Currency => {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error('invariant: the contract checks the currency');
  return currency;
};

const positionOf = (cursor: string | undefined): bigint | null => {
  if (cursor === undefined) return null;
  if (!positionSchema.safeParse(cursor).success) {
    throw new Problem('validation_failed', {
      errors: [{ pointer: '?cursor', code: 'invalid_format', message: 'is not a cursor of this list' }],
    });
  }
  return BigInt(cursor);
};
