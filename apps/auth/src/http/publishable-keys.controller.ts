import { Controller, Delete, Get, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  merchantIdSchema,
  type Principal,
  PUBLISHABLE_KEY,
  publishableKeySchema,
  publishableKeysSchema,
  type PublishableKeyView,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { addPublishableKey, disableMerchantPublishableKey } from '../application/merchants.js';
import { TokenIssuer } from '../keys/token-issuer.js';
import { type PublishableKey, publishableKeysOf } from '../store/publishable-keys.js';
import { Deeds } from './deeds.js';
import { requireOwnExistingMerchant, requireOwnMerchant } from './own-merchant.js';

const keySchema = z.string().regex(PUBLISHABLE_KEY);

@ApiTags('Identity')
@Controller('merchants/:merchantId/publishable-keys')
export class PublishableKeysController {
  constructor(
    private readonly database: Database,
    private readonly deeds: Deeds,
    private readonly tokens: TokenIssuer,
  ) {}

  @Get()
  @Access('merchants:read')
  @ApiOperation({ summary: "List a merchant's publishable keys" })
  @Answers(200, publishableKeysSchema, 'The keys, the newest first.')
  async listPublishableKeys(
    @Caller() principal: Principal,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
  ): Promise<z.infer<typeof publishableKeysSchema>> {
    await requireOwnExistingMerchant(this.database, principal, merchantId);
    return { data: (await publishableKeysOf(this.database, merchantId)).map(viewOf) };
  }

  @Post()
  @Access('merchants:write')
  @ApiOperation({
    summary: 'Add a publishable key',
    description: "For another of the merchant's pages, or to replace one.",
  })
  @Answers(201, publishableKeySchema, 'The key.')
  async addPublishableKey(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: merchantId }, async (tx, actor) => {
      const key = await addPublishableKey(tx, actor, merchantId);
      if (!key) throw new Problem('merchant_not_found');
      return { status: 201, body: viewOf(key) };
    });
  }

  @Delete(':publishableKey')
  @Access('merchants:write')
  @ApiOperation({ summary: 'Disable a publishable key', description: 'It is refused everywhere within a second.' })
  @Answers(200, publishableKeySchema, 'The key.')
  async disablePublishableKey(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Param('publishableKey', { schema: keySchema }) key: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: key }, async (tx, actor) => {
      const disabled = await disableMerchantPublishableKey(tx, actor, { merchantId, key }, this.tokens.lastExpiry());
      if (!disabled) throw new Problem('publishable_key_not_found');
      return { status: 200, body: viewOf(disabled) };
    });
  }
}

const viewOf = ({ key, merchantId, createdAt, disabledAt }: PublishableKey): PublishableKeyView => ({
  publishableKey: key,
  merchantId,
  createdAt: createdAt.toISOString(),
  disabledAt: disabledAt?.toISOString() ?? null,
});
