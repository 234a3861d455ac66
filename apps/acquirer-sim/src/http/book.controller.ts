import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  acquirerOperationSchema,
  acquirerReferenceSchema,
  bookPageSchema,
  listBookQuerySchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, Problem, Public } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { OperationView } from '../application/operation-view.js';
import { findOperation, listOperations } from '../store/book.js';
import { acquirerNamed } from './acquirer-parameter.js';
import { Serving } from './serving.js';

type BookQuery = z.infer<typeof listBookQuerySchema>;
type BookPage = z.infer<typeof bookPageSchema>;

const positionSchema = z.string().regex(/^\d{1,18}$/);
const OK = 200;

/** The book, as it stands now. */
@ApiTags('Acquirer')
@Controller('acquirers/:acquirer')
export class BookController {
  constructor(
    private readonly database: Database,
    private readonly view: OperationView,
    private readonly serving: Serving,
  ) {}

  @Get('operations/:reference')
  @Public()
  @ApiOperation({ summary: 'What became of a reference; 404 when it never arrived' })
  @Answers(OK, acquirerOperationSchema, 'The operation as it stands now.')
  async acquirerInquire(
    @Param('acquirer') name: string,
    @Param('reference', { schema: acquirerReferenceSchema }) reference: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    const find = () => findOperation(this.database, acquirer, reference);
    const paymentOf = async () => (await find())?.paymentId;
    const asked = { acquirer, operation: 'inquiry', reference, paymentOf, card: null } as const;
    await this.serving.run(
      request,
      reply,
      asked,
      async () => {
        const row = await find();
        if (row === undefined) throw new Problem('resource_not_found', { detail: 'Unknown reference.' });
        return { row, replayed: false };
      },
      ({ row }) => this.view.operationOf(row),
      OK,
    );
  }

  @Get('operations')
  @Public()
  @ApiOperation({ summary: 'The book, newest first' })
  @Answers(OK, bookPageSchema, 'A page of the book.')
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
      data: page.map((row) => this.view.bookLineOf(row)),
      nextCursor: rows.length > query.limit && last !== undefined ? last.position.toString() : null,
    };
  }
}

const positionOf = (cursor: string | undefined): bigint | null => {
  if (cursor === undefined) return null;
  if (!positionSchema.safeParse(cursor).success) {
    throw new Problem('validation_failed', {
      errors: [{ pointer: '?cursor', code: 'invalid_format', message: 'is not a cursor of this list' }],
    });
  }
  return BigInt(cursor);
};
