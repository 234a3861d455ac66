import { Body, Controller, Delete, Get, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  apiKeyIdSchema,
  apiKeySchema,
  apiKeysSchema,
  type ApiKeyView,
  createApiKeySchema,
  type CreateApiKeyRequest,
  createdApiKeySchema,
  merchantIdSchema,
  type Principal,
  rollApiKeySchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { ApiKeys, type CreatedApiKey } from '../application/api-keys.js';
import { type ApiKey, apiKeysOf } from '../store/api-keys.js';
import { Deeds } from './deeds.js';
import { requireOwnExistingMerchant, requireOwnMerchant } from './own-merchant.js';
import { scopesBeyond } from './scope-problem.js';

@ApiTags('Identity')
@Controller('merchants/:merchantId/api-keys')
export class MerchantKeysController {
  constructor(
    private readonly database: Database,
    private readonly deeds: Deeds,
    private readonly keys: ApiKeys,
  ) {}

  @Get()
  @Access('merchants:read')
  @ApiOperation({ summary: "List a merchant's API keys", description: 'Never the keys themselves.' })
  @Answers(200, apiKeysSchema, 'The keys, the newest first.')
  async listApiKeys(
    @Caller() principal: Principal,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
  ): Promise<z.infer<typeof apiKeysSchema>> {
    await requireOwnExistingMerchant(this.database, principal, merchantId);
    return { data: (await apiKeysOf(this.database, merchantId)).map(viewOf) };
  }

  @Post()
  @Access('merchants:write')
  @ApiOperation({
    summary: 'Create an API key',
    description: 'A Bearer token for servers: no exchange, no expiry unless one is given. It is shown once.',
  })
  @Answers(201, createdApiKeySchema, 'The key.')
  async createApiKey(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Body({ schema: createApiKeySchema }) body: CreateApiKeyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(
      reply,
      { principal, meta, body, resourceId: merchantId },
      async (tx, actor) => {
        const outcome = await this.keys.create(tx, actor, merchantId, body);
        switch (outcome.kind) {
          case 'created':
            return { status: 201, body: createdViewOf(outcome.created) };
          case 'merchant_not_found':
            throw new Problem('merchant_not_found');
          case 'expired_before_use':
            throw new Problem('validation_failed', {
              errors: [{ pointer: '/expiresAt', code: 'too_early', message: 'must be in the future' }],
            });
          case 'scopes_beyond_caller':
            throw scopesBeyond(outcome.refused);
        }
      },
      'apiKey',
    );
  }

  @Delete(':apiKeyId')
  @Access('merchants:write')
  @ApiOperation({ summary: 'Revoke an API key', description: 'It is refused everywhere within a second.' })
  @Answers(200, apiKeySchema, 'The key.')
  async revokeApiKey(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Param('apiKeyId', { schema: apiKeyIdSchema }) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: id }, async (tx, actor) => {
      const key = await this.keys.revoke(tx, actor, merchantId, id);
      if (!key) throw new Problem('api_key_not_found');
      return { status: 200, body: viewOf(key) };
    });
  }

  @Post(':apiKeyId/roll')
  @Access('merchants:write')
  @ApiOperation({
    summary: 'Roll an API key',
    description:
      'A new key in the name of the same client, with the same scopes and expiry; the old one works on for ' +
      '`overlapSeconds`. An Idempotency-Key used under the one is known under the other.',
  })
  @Answers(201, createdApiKeySchema, 'The new key.')
  async rollApiKey(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Param('apiKeyId', { schema: apiKeyIdSchema }) id: string,
    @Body({ schema: rollApiKeySchema }) body: z.infer<typeof rollApiKeySchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(
      reply,
      { principal, meta, body, resourceId: id },
      async (tx, actor) => {
        const outcome = await this.keys.roll(tx, actor, { merchantId, id }, body.overlapSeconds);
        switch (outcome.kind) {
          case 'rolled':
            return { status: 201, body: createdViewOf(outcome.created) };
          case 'scopes_beyond_caller':
            throw scopesBeyond(outcome.refused);
          default:
            throw new Problem(outcome.kind);
        }
      },
      'apiKey',
    );
  }
}

const viewOf = (key: ApiKey): ApiKeyView => ({
  apiKeyId: key.id,
  merchantId: key.merchantId,
  clientId: key.principalId,
  name: key.name,
  hint: key.hint,
  scopes: [...key.scopes],
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  revokedAt: key.revokedAt?.toISOString() ?? null,
});

const createdViewOf = ({ key, secret }: CreatedApiKey): z.infer<typeof createdApiKeySchema> => ({
  ...viewOf(key),
  apiKey: secret,
});
