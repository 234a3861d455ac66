import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  clientIdSchema,
  clientSchema,
  clientsSchema,
  type ClientView,
  createClientSchema,
  createdClientSchema,
  merchantIdSchema,
  type Principal,
  rotatedSecretSchema,
  rotateSecretSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { createClient, disableMerchantClient, rotateClientSecret } from '../application/merchants.js';
import { TokenIssuer } from '../keys/token-issuer.js';
import { clientsOf, type ListedClient } from '../store/oauth-clients.js';
import { Deeds } from './deeds.js';
import { requireOwnExistingMerchant, requireOwnMerchant } from './own-merchant.js';
import { scopesBeyond } from './scope-problem.js';

@ApiTags('Identity')
@Controller('merchants/:merchantId/clients')
export class MerchantClientsController {
  constructor(
    private readonly database: Database,
    private readonly deeds: Deeds,
    private readonly tokens: TokenIssuer,
  ) {}

  @Get()
  @Access('merchants:read')
  @ApiOperation({ summary: "List a merchant's clients" })
  @Answers(200, clientsSchema, 'The clients, the newest first.')
  async listMerchantClients(
    @Caller() principal: Principal,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
  ): Promise<z.infer<typeof clientsSchema>> {
    await requireOwnExistingMerchant(this.database, principal, merchantId);
    return { data: (await clientsOf(this.database, merchantId)).map(viewOf) };
  }

  @Post()
  @Access('merchants:write')
  @ApiOperation({ summary: 'Create a client that acts for a merchant', description: 'Its secret is shown once.' })
  @Answers(201, createdClientSchema, 'The client and its secret.')
  async createMerchantClient(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Body({ schema: createClientSchema }) body: z.infer<typeof createClientSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(
      reply,
      { principal, meta, body, resourceId: merchantId },
      async (tx, actor) => {
        const outcome = await createClient(tx, actor, { merchantId, scopes: body.scopes });
        switch (outcome.kind) {
          case 'created': {
            const { createdAt, roles, scopes, ...client } = outcome.client;
            const sent = { ...client, roles: [...roles], scopes: [...scopes], createdAt: createdAt.toISOString() };
            return { status: 201, body: sent satisfies z.infer<typeof createdClientSchema> };
          }
          case 'merchant_not_found':
            throw new Problem('merchant_not_found');
          case 'scopes_beyond_caller':
            throw scopesBeyond(outcome.refused);
        }
      },
      'clientSecret',
    );
  }

  @Delete(':clientId')
  @Access('merchants:write')
  @ApiOperation({
    summary: 'Disable a client',
    description: 'For good. Its tokens are refused everywhere within a second.',
  })
  @Answers(200, clientSchema, 'The client.')
  async disableMerchantClient(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Param('clientId', { schema: clientIdSchema }) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: id }, async (tx, actor) => {
      const client = await disableMerchantClient(tx, actor, { merchantId, id }, this.tokens.lastExpiry());
      if (!client) throw new Problem('client_not_found');
      return { status: 200, body: viewOf(client) };
    });
  }

  @Post(':clientId/secret/rotate')
  @Access('merchants:write')
  @HttpCode(200)
  @ApiOperation({
    summary: "Rotate a client's secret",
    description: 'The old one works on for `overlapSeconds`. The new one is shown once.',
  })
  @Answers(200, rotatedSecretSchema, 'The client and its new secret.')
  async rotateClientSecret(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Param('clientId', { schema: clientIdSchema }) id: string,
    @Body({ schema: rotateSecretSchema }) body: z.infer<typeof rotateSecretSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(
      reply,
      { principal, meta, body, resourceId: id },
      async (tx, actor) => {
        const outcome = await rotateClientSecret(tx, actor, { merchantId, id }, body.overlapSeconds);
        switch (outcome.kind) {
          case 'rotated': {
            const sent = { ...viewOf(outcome.client), clientSecret: outcome.secret };
            return { status: 200, body: sent satisfies z.infer<typeof rotatedSecretSchema> };
          }
          case 'client_not_found':
            throw new Problem('client_not_found');
          case 'scopes_beyond_caller':
            throw scopesBeyond(outcome.refused);
        }
      },
      'clientSecret',
    );
  }
}

const viewOf = (client: ListedClient): ClientView => ({
  clientId: client.id,
  merchantId: client.merchantId,
  scopes: [...client.scopes],
  createdAt: client.createdAt.toISOString(),
  disabledAt: client.disabledAt?.toISOString() ?? null,
  previousSecretUntil: client.previousSecretUntil?.toISOString() ?? null,
});
