import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type AcquirerChargeback,
  acquirerChargebacksSchema,
  type AcquirerDispute,
  acquirerDisputeAcceptSchema,
  type AcquirerDisputeChanges,
  acquirerDisputeChangesSchema,
  type AcquirerDisputeEvidence,
  acquirerDisputeEvidenceSchema,
  acquirerDisputeIdSchema,
  acquirerDisputeSchema,
  decideAcquirerDisputeSchema,
  listAcquirerChargebacksQuerySchema,
  listAcquirerDisputesQuerySchema,
  type RaiseAcquirerDispute,
  raiseAcquirerDisputeSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { type AcquirerSimConfig, isControllable } from '../acquirer-sim.config.js';
import { chargebackOf, disputeOf } from '../application/dispute-view.js';
import { RaiseDispute } from '../application/raise-dispute.js';
import { type DisputeAnswer, RespondToDispute } from '../application/respond-to-dispute.js';
import type { AcquirerName } from '../domain/acquirers.js';
import { findDispute, listChargebacks, listDisputeChanges } from '../store/disputes.js';
import { acquirerNamed } from './acquirer-parameter.js';
import { Serving } from './serving.js';

type DisputesQuery = z.infer<typeof listAcquirerDisputesQuerySchema>;
type ChargebacksQuery = z.infer<typeof listAcquirerChargebacksQuerySchema>;

const AS_IT_STANDS = 'The dispute as it stands.';
const OK = 200;
const CREATED = 201;

/** The acquirer's side of `libs/contracts/src/http/acquirer-disputes.ts`. */
@ApiTags('Disputes')
@Controller('acquirers/:acquirer')
export class DisputesController {
  constructor(
    private readonly database: Database,
    private readonly raising: RaiseDispute,
    private readonly responding: RespondToDispute,
    private readonly serving: Serving,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  @Post('disputes')
  @Public()
  @ApiOperation({ summary: 'Have the payer dispute a payment. Demo mode only' })
  @Answers(CREATED, acquirerDisputeSchema, AS_IT_STANDS)
  async raiseAcquirerDispute(
    @Param('acquirer') name: string,
    @Body({ schema: raiseAcquirerDisputeSchema }) body: RaiseAcquirerDispute,
  ): Promise<AcquirerDispute> {
    return disputeOf(await this.raising.byControl(this.controlled(name), body));
  }

  @Post('disputes/:disputeId/decision')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Say how an open dispute ends. Demo mode only' })
  @Answers(OK, acquirerDisputeSchema, AS_IT_STANDS)
  async decideAcquirerDispute(
    @Param('acquirer') name: string,
    @Param('disputeId', { schema: acquirerDisputeIdSchema }) disputeId: string,
    @Body({ schema: decideAcquirerDisputeSchema }) { outcome }: z.infer<typeof decideAcquirerDisputeSchema>,
  ): Promise<AcquirerDispute> {
    return disputeOf(await this.responding.decide(this.controlled(name), disputeId, outcome));
  }

  @Get('disputes')
  @Public()
  @ApiOperation({ summary: 'How disputes changed, in order' })
  @Answers(OK, acquirerDisputeChangesSchema, 'The changes after a position.')
  async acquirerDisputeChanges(
    @Param('acquirer') name: string,
    @Query({ schema: listAcquirerDisputesQuerySchema }) query: DisputesQuery,
  ): Promise<AcquirerDisputeChanges> {
    const rows = await listDisputeChanges(this.database, acquirerNamed(name), query);
    return {
      data: rows.map((row) => ({ ...disputeOf(row), position: Number(row.position) })),
      nextPosition: Number(rows.at(-1)?.position ?? query.after),
    };
  }

  @Get('disputes/:disputeId')
  @Public()
  @ApiOperation({ summary: 'How a dispute stands' })
  @Answers(OK, acquirerDisputeSchema, AS_IT_STANDS)
  async acquirerDispute(
    @Param('acquirer') name: string,
    @Param('disputeId', { schema: acquirerDisputeIdSchema }) disputeId: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    await this.serve(request, reply, acquirer, disputeId, 'inquiry', async () => {
      const row = await findDispute(this.database, acquirer, disputeId);
      if (row === undefined) throw new Problem('resource_not_found', { detail: 'Unknown dispute.' });
      return { row, replayed: false };
    });
  }

  @Post('disputes/:disputeId/evidence')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Contest a dispute, once' })
  @Answers(OK, acquirerDisputeSchema, AS_IT_STANDS)
  async submitAcquirerDisputeEvidence(
    @Param('acquirer') name: string,
    @Param('disputeId', { schema: acquirerDisputeIdSchema }) disputeId: string,
    @Body({ schema: acquirerDisputeEvidenceSchema }) { reference, evidence }: AcquirerDisputeEvidence,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    await this.serve(request, reply, acquirer, disputeId, 'dispute', async () => {
      return await this.responding.respond(acquirer, disputeId, reference, evidence);
    });
  }

  @Post('disputes/:disputeId/accept')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Do not contest a dispute' })
  @Answers(OK, acquirerDisputeSchema, AS_IT_STANDS)
  async acceptAcquirerDispute(
    @Param('acquirer') name: string,
    @Param('disputeId', { schema: acquirerDisputeIdSchema }) disputeId: string,
    @Body({ schema: acquirerDisputeAcceptSchema }) { reference }: z.infer<typeof acquirerDisputeAcceptSchema>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    await this.serve(request, reply, acquirer, disputeId, 'dispute', async () => {
      return await this.responding.respond(acquirer, disputeId, reference, null);
    });
  }

  @Get('chargebacks')
  @Public()
  @ApiOperation({ summary: 'What disputes took back and gave back, newest first' })
  @Answers(OK, acquirerChargebacksSchema, 'Lines of the book.')
  async acquirerChargebacks(
    @Param('acquirer') name: string,
    @Query({ schema: listAcquirerChargebacksQuerySchema }) query: ChargebacksQuery,
  ): Promise<{ data: AcquirerChargeback[] }> {
    return { data: (await listChargebacks(this.database, acquirerNamed(name), query)).map(chargebackOf) };
  }

  private async serve(
    request: FastifyRequest,
    reply: FastifyReply,
    acquirer: AcquirerName,
    disputeId: string,
    operation: 'dispute' | 'inquiry',
    effect: () => Promise<DisputeAnswer>,
  ): Promise<void> {
    const paymentOf = async () => (await findDispute(this.database, acquirer, disputeId))?.paymentId;
    const asked = { acquirer, operation, reference: disputeId, paymentOf, card: null } as const;
    await this.serving.run(request, reply, asked, effect, ({ row }) => disputeOf(row), OK);
  }

  private controlled(name: string): AcquirerName {
    if (!isControllable(this.config)) throw new Problem('route_not_found');
    return acquirerNamed(name);
  }
}
