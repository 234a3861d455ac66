import { Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  acquirerAmountRequestSchema,
  type AcquirerAuthorizationRequest,
  acquirerAuthorizationRequestSchema,
  acquirerOperationSchema,
  type AcquirerRedirectRequest,
  acquirerRedirectRequestSchema,
  type AcquirerReversalRequest,
  acquirerReversalRequestSchema,
  acquirerVoidRequestSchema,
  testCardOf,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, Public } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { AuthorizePayment } from '../application/authorize-payment.js';
import { ChangeAuthorization } from '../application/change-authorization.js';
import type { TakenMode } from '../application/modes.js';
import type { OperationAnswer } from '../application/operation-view.js';
import { ReverseAuthorization } from '../application/reverse-authorization.js';
import type { Asked } from '../application/serve-operation.js';
import { knownCurrency } from '../application/settle-result.js';
import type { AcquirerName } from '../domain/acquirers.js';
import type { Change } from '../domain/authorization.js';
import { paymentOfAuthorization } from '../store/authorizations.js';
import { acquirerNamed } from './acquirer-parameter.js';
import { Serving } from './serving.js';

type AmountRequest = z.infer<typeof acquirerAmountRequestSchema>;
type VoidRequest = z.infer<typeof acquirerVoidRequestSchema>;

const authorizationIdSchema = z.string().regex(/^[a-z0-9-]{1,40}_[0-9a-f-]{36}$/);
const AS_IT_STANDS = 'The operation as it stands in the book.';
const CREATED = 201;

/**
 * The acquirer's side of `libs/contracts/src/http/acquirer.ts`. Its callers are not authenticated: a simulator holds
 * nobody's money, and it listens on loopback or inside the deployment's network, never behind the gateway.
 */
@ApiTags('Acquirer')
@ApiHeader({
  name: 'x-acquirer-mode',
  required: false,
  description: 'Treats this request by the mode. Demo mode only.',
})
@Controller('acquirers/:acquirer')
export class OperationsController {
  constructor(
    private readonly authorizePayment: AuthorizePayment,
    private readonly changeAuthorization: ChangeAuthorization,
    private readonly reverseAuthorization: ReverseAuthorization,
    private readonly serving: Serving,
    private readonly database: Database,
  ) {}

  @Post('authorizations')
  @Public()
  @ApiOperation({ summary: 'Authorize a card; a decline is an answer, not an error' })
  @Answers(CREATED, acquirerOperationSchema, AS_IT_STANDS)
  async acquirerAuthorize(
    @Param('acquirer') name: string,
    @Body({ schema: acquirerAuthorizationRequestSchema }) body: AcquirerAuthorizationRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    const { reference } = body;
    const card = testCardOf(body.card.number)?.behaviour ?? null;
    const paymentOf = () => Promise.resolve(body.paymentId);
    await this.serve(request, reply, { acquirer, operation: 'authorize', reference, paymentOf, card }, (mode) =>
      this.authorizePayment.byCard(acquirer, body, mode),
    );
  }

  @Post('redirects')
  @Public()
  @ApiOperation({ summary: "Authorize at the payer's bank" })
  @Answers(CREATED, acquirerOperationSchema, AS_IT_STANDS)
  async acquirerRedirect(
    @Param('acquirer') name: string,
    @Body({ schema: acquirerRedirectRequestSchema }) body: AcquirerRedirectRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    const { reference } = body;
    const paymentOf = () => Promise.resolve(body.paymentId);
    await this.serve(request, reply, { acquirer, operation: 'authorize', reference, paymentOf, card: null }, (mode) =>
      this.authorizePayment.atBank(acquirer, body, mode),
    );
  }

  @Post('reversals')
  @Public()
  @ApiOperation({ summary: 'Undo an authorization, whether or not it has arrived' })
  @Answers(CREATED, acquirerOperationSchema, AS_IT_STANDS)
  async acquirerReverse(
    @Param('acquirer') name: string,
    @Body({ schema: acquirerReversalRequestSchema }) body: AcquirerReversalRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    const { reference } = body;
    const paymentOf = () => Promise.resolve(body.paymentId);
    await this.serve(request, reply, { acquirer, operation: 'void', reference, paymentOf, card: null }, (mode) =>
      this.reverseAuthorization.run(acquirer, body, mode),
    );
  }

  @Post('authorizations/:authorizationId/captures')
  @Public()
  @ApiOperation({ summary: 'Capture from an authorization' })
  @Answers(CREATED, acquirerOperationSchema, AS_IT_STANDS)
  async acquirerCapture(
    @Param('acquirer') name: string,
    @Param('authorizationId', { schema: authorizationIdSchema }) authorizationId: string,
    @Body({ schema: acquirerAmountRequestSchema }) body: AmountRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.change(request, reply, acquirerNamed(name), authorizationId, body.reference, {
      operation: 'capture',
      amountMinor: BigInt(body.amount),
      currency: knownCurrency(body.currency),
      final: body.final ?? false,
    });
  }

  @Post('authorizations/:authorizationId/refunds')
  @Public()
  @ApiOperation({ summary: 'Refund what was captured' })
  @Answers(CREATED, acquirerOperationSchema, AS_IT_STANDS)
  async acquirerRefund(
    @Param('acquirer') name: string,
    @Param('authorizationId', { schema: authorizationIdSchema }) authorizationId: string,
    @Body({ schema: acquirerAmountRequestSchema }) body: AmountRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.change(request, reply, acquirerNamed(name), authorizationId, body.reference, {
      operation: 'refund',
      amountMinor: BigInt(body.amount),
      currency: knownCurrency(body.currency),
    });
  }

  @Post('authorizations/:authorizationId/voids')
  @Public()
  @ApiOperation({ summary: 'Release what is not captured' })
  @Answers(CREATED, acquirerOperationSchema, AS_IT_STANDS)
  async acquirerVoid(
    @Param('acquirer') name: string,
    @Param('authorizationId', { schema: authorizationIdSchema }) authorizationId: string,
    @Body({ schema: acquirerVoidRequestSchema }) body: VoidRequest,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.change(request, reply, acquirerNamed(name), authorizationId, body.reference, { operation: 'void' });
  }

  private async change(
    request: FastifyRequest,
    reply: FastifyReply,
    acquirer: AcquirerName,
    authorizationId: string,
    reference: string,
    change: Change,
  ): Promise<void> {
    const { operation } = change;
    const paymentOf = () => paymentOfAuthorization(this.database, acquirer, authorizationId);
    await this.serve(request, reply, { acquirer, operation, reference, paymentOf, card: null }, (mode) =>
      this.changeAuthorization.run(acquirer, authorizationId, reference, change, mode),
    );
  }

  private async serve(
    request: FastifyRequest,
    reply: FastifyReply,
    asked: Omit<Asked, 'modeOfHeader'>,
    effect: (mode: TakenMode) => Promise<OperationAnswer>,
  ): Promise<void> {
    await this.serving.run(request, reply, asked, effect, ({ operation }) => operation, CREATED);
  }
}
