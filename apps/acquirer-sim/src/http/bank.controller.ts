import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  BANK_MODES,
  type BankMode,
  bankBookSchema,
  bankPayoutChangesSchema,
  type BankPayoutRequest,
  bankPayoutRequestSchema,
  bankPayoutSchema,
  bankReferenceSchema,
  listBankBookQuerySchema,
  listBankPayoutChangesQuerySchema,
  testBankAccountOf,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, Problem, Public } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { PayOut } from '../application/pay-out.js';
import { type AskedOfBank, ServeBank } from '../application/serve-bank.js';
import { findPayout, listBankBook, listPayoutChanges, type PayoutRow } from '../store/bank-payouts.js';
import { bankBookLineOf, bankNamed, payoutOf } from './bank-view.js';
import { Serving } from './serving.js';

type ChangesQuery = z.infer<typeof listBankPayoutChangesQuerySchema>;
type BookQuery = z.infer<typeof listBankBookQuerySchema>;

const MODE_HEADER = 'x-bank-mode';
const AS_IT_STANDS = 'The payout as it stands.';
const OK = 200;
const CREATED = 201;

/**
 * The bank's side of `libs/contracts/src/http/bank.ts`. Its callers are not authenticated: a simulator holds nobody's
 * money, and it listens on loopback or inside the deployment's network, never behind the gateway.
 */
@ApiTags('Bank')
@ApiHeader({ name: MODE_HEADER, required: false, description: 'Treats this request by the mode. Demo mode only.' })
@Controller('banks/:bank')
export class BankController {
  constructor(
    private readonly database: Database,
    private readonly payOut: PayOut,
    private readonly serveBank: ServeBank,
    private readonly serving: Serving,
  ) {}

  @Post('payouts')
  @Public()
  @ApiOperation({ summary: 'Pay to an account; a refusal is an answer, not an error' })
  @Answers(CREATED, bankPayoutSchema, AS_IT_STANDS)
  async bankPayout(
    @Param('bank') name: string,
    @Body({ schema: bankPayoutRequestSchema }) body: BankPayoutRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bank = bankNamed(name);
    const behaviour = testBankAccountOf(body.creditor)?.behaviour ?? null;
    const asked = { bank, operation: 'payout', reference: body.reference, behaviour } as const;
    const served = await this.serveBank.run(
      { ...asked, modeOfHeader: modeOfHeader(request) },
      async (mode) => await this.payOut.pay(bank, body, mode),
    );
    await this.serving.send(reply, served, ({ row }) => payoutOf(row), CREATED);
  }

  @Get('payouts')
  @Public()
  @ApiOperation({ summary: 'How payouts changed, in order' })
  @Answers(OK, bankPayoutChangesSchema, 'The changes after a position.')
  async bankPayoutChanges(
    @Param('bank') name: string,
    @Query({ schema: listBankPayoutChangesQuerySchema }) { after, limit }: ChangesQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bank = bankNamed(name);
    const read = async () => ({ rows: await listPayoutChanges(this.database, bank, after, limit), replayed: false });
    const served = await this.serveBank.run(question(bank, 'feed', undefined, request), read);
    const bodyOf = ({ rows }: { readonly rows: readonly PayoutRow[] }) => ({
      data: rows.map((row) => ({ ...payoutOf(row), position: Number(row.position) })),
      nextPosition: Number(rows.at(-1)?.position ?? after),
    });
    await this.serving.send(reply, served, bodyOf, OK);
  }

  @Get('payouts/:reference')
  @Public()
  @ApiOperation({ summary: 'What became of a reference; 404 when it has not arrived' })
  @Answers(OK, bankPayoutSchema, AS_IT_STANDS)
  async bankInquire(
    @Param('bank') name: string,
    @Param('reference', { schema: bankReferenceSchema }) reference: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bank = bankNamed(name);
    const served = await this.serveBank.run(question(bank, 'inquiry', reference, request), async () => {
      const row = await findPayout(this.database, bank, reference);
      if (row === undefined) throw new Problem('resource_not_found', { detail: 'Unknown reference.' });
      return { row, replayed: false };
    });
    await this.serving.send(reply, served, ({ row }) => payoutOf(row), OK);
  }

  @Post('payouts/:reference/cancel')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Take a payout back, or forbid one that has not arrived' })
  @Answers(OK, bankPayoutSchema, AS_IT_STANDS)
  async bankCancel(
    @Param('bank') name: string,
    @Param('reference', { schema: bankReferenceSchema }) reference: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bank = bankNamed(name);
    const asked = {
      bank,
      operation: 'cancel',
      reference,
      behaviour: null,
      modeOfHeader: modeOfHeader(request),
    } as const;
    const served = await this.serveBank.run(asked, async () => await this.payOut.cancel(bank, reference));
    await this.serving.send(reply, served, ({ row }) => payoutOf(row), OK);
  }

  @Get('book')
  @Public()
  @ApiOperation({ summary: 'What went to which account and what came back, newest first' })
  @Answers(OK, bankBookSchema, 'Lines of the book.')
  async bankBook(
    @Param('bank') name: string,
    @Query({ schema: listBankBookQuerySchema }) { reference, account, before, limit }: BookQuery,
  ): Promise<z.infer<typeof bankBookSchema>> {
    const rows = await listBankBook(this.database, bankNamed(name), { reference, account }, before, limit);
    return { data: rows.map(bankBookLineOf) };
  }
}

const question = (
  bank: AskedOfBank['bank'],
  operation: 'inquiry' | 'feed',
  reference: string | undefined,
  request: FastifyRequest,
): AskedOfBank => ({ bank, operation, reference, behaviour: null, modeOfHeader: modeOfHeader(request) });

const modeOfHeader = ({ headers }: FastifyRequest): BankMode | undefined => {
  const wanted = headers[MODE_HEADER];
  if (wanted === undefined) return undefined;
  const mode = BANK_MODES.find((known) => known === wanted);
  if (mode !== undefined) return mode;
  const message = `is none of ${BANK_MODES.join(', ')}`;
  throw new Problem('invalid_header', {
    detail: `X-Bank-Mode ${message}.`,
    errors: [{ pointer: 'header:X-Bank-Mode', code: 'invalid_header', message }],
  });
};
