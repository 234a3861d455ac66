/** A small real service for the tests of this library: keeps notes in its own database. */
import { type Principal, timeSchema } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Body, Controller, Get, Module, type OnModuleDestroy, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { z } from 'zod';

import {
  AcceptsForm,
  Access,
  Answers,
  Caller,
  crashPoint,
  currentContext,
  databaseConfigFields,
  entityTag,
  httpConfigFields,
  Idempotency,
  IDEMPOTENCY_DDL,
  Problem,
  Public,
  RequestMeta,
  sendAnswer,
  ServiceModule,
} from '../src/index.js';

const noteTextSchema = z
  .string()
  .min(1)
  .max(200)
  .meta({ id: 'NoteText', examples: ['milk'] });
const createNoteSchema = z
  .strictObject({ text: noteTextSchema, copies: z.int().min(1).default(1) })
  .meta({ id: 'CreateNote' });
const noteSchema = z.object({ noteId: z.string(), text: noteTextSchema, createdAt: timeSchema }).meta({ id: 'Note' });
const listSchema = z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) });
const settingsSchema = z
  .strictObject({ theme: z.strictObject({ color: z.string().default('red') }).meta({ id: 'Theme' }) })
  .meta({ id: 'Settings' });
const loginSchema = z.strictObject({ name: z.string().optional() });

/** Held open by tests that stop the service while a request is in flight. */
export const gate: { opened: Promise<void>; open: () => void; entered: () => void } = {
  opened: Promise.resolve(),
  open: () => undefined,
  entered: () => undefined,
};

@Controller('/notes')
export class NoteController {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  @Access('payments:write')
  @Post()
  @Answers(201, noteSchema, 'The note.')
  async createNote(
    @Body({ schema: createNoteSchema }) body: z.infer<typeof createNoteSchema>,
    @RequestMeta() meta: RequestMeta,
    @Caller() principal: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const identity = this.idempotency.identify({ meta, principal, body });
    const options = { resourceId: `note_${meta.requestId}`, leaseMs: 10_000, moneyMoving: true };
    const answer = await this.idempotency.runOnce(this.database, identity, options, async (tx, noteId) => {
      if (body.text === 'forbidden') throw new Problem('payment_not_capturable');
      await tx.execute('INSERT INTO notes (id, text) VALUES ($1, $2)', [noteId, body.text]);
      crashPoint('notes.after-insert');
      const note = { noteId, text: body.text, createdAt: new Date(0).toISOString() };
      return { status: 201, body: note, headers: { etag: entityTag(1) } };
    });
    await sendAnswer(reply, answer);
  }

  @Access('payments:read')
  @Get()
  @Answers(200, z.array(noteSchema), 'The notes.')
  async listNotes(@Query({ schema: listSchema }) query: z.infer<typeof listSchema>): Promise<unknown> {
    return await this.database.query('SELECT id, text FROM notes ORDER BY id LIMIT $1', [query.limit]);
  }

  @Public()
  @Get('/:noteId')
  async getNote(@Param('noteId') noteId: string, @RequestMeta() meta: RequestMeta): Promise<unknown> {
    const rows = await this.database.query<{ text: string }>('SELECT text FROM notes WHERE id = $1', [noteId]);
    return { noteId, rows, ifMatch: meta.ifMatch };
  }
}

@Public()
@Controller('/notes/:noteId/pages')
export class PageController {
  @Get('/:page')
  getPage(): object {
    return {};
  }
}

@Public()
@Controller()
export class OddController implements OnModuleDestroy {
  constructor(private readonly database: Database) {}

  @AcceptsForm()
  @Post('/login')
  login(@Body({ schema: loginSchema }) body: z.infer<typeof loginSchema>): unknown {
    return { body, context: currentContext() };
  }

  @AcceptsForm({ query: true })
  @Post('/greet')
  greet(@Body({ schema: loginSchema }) body: z.infer<typeof loginSchema>): unknown {
    return { body, context: currentContext() };
  }

  @Post('/optional')
  optional(@Body({ schema: z.strictObject({ final: z.boolean().default(true) }) }) body: object): object {
    return body;
  }

  @Get('/search')
  search(@Query({ schema: listSchema }) query: z.infer<typeof listSchema>): object {
    return query;
  }

  @Get('/broken')
  broken(): never {
    throw new Error('secret detail: SELECT * FROM cards 4242424242424242');
  }

  @Get('/slow')
  async slow(): Promise<object> {
    gate.entered();
    await gate.opened;
    return await this.database.query('SELECT 1 AS answer');
  }

  @Post('/settings')
  @Answers(201, settingsSchema, 'The settings.')
  changeSettings(@Body({ schema: settingsSchema }) body: z.infer<typeof settingsSchema>): object {
    return body;
  }

  @Get('/internal/secret-plans')
  @Answers(200, z.object({}).meta({ id: 'SecretPlan' }), 'The plan.')
  plans(): object {
    return {};
  }

  /** Whoever stops may still use the database: pools are closed last. */
  async onModuleDestroy(): Promise<void> {
    await this.database.query('SELECT 1');
  }
}

@Module({
  imports: [
    ServiceModule.forRoot({
      name: 'payment',
      configSchema: z.object({ ...httpConfigFields, ...databaseConfigFields }),
      database: true,
    }),
  ],
  controllers: [NoteController, PageController, OddController],
})
export class NotesModule {}

export class CreateNotes1760000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(IDEMPOTENCY_DDL);
    await runner.query('CREATE TABLE notes (id text PRIMARY KEY, text text NOT NULL)');
  }
  async down(): Promise<void> {
    await Promise.reject(new Error('forward only'));
  }
}
