import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  blockMerchantSchema,
  createMerchantSchema,
  type ListMerchantsQuery,
  listMerchantsQuerySchema,
  merchantIdSchema,
  merchantPageSchema,
  merchantSchema,
  type Principal,
  updateMerchantSchema,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { Access, type Answer, Answers, Caller, Problem, RequestMeta } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { blockMerchant, createMerchant, renameMerchant, unblockMerchant } from '../application/merchants.js';
import { TokenIssuer } from '../keys/token-issuer.js';
import { findMerchant, listMerchants, type Merchant } from '../store/merchants.js';
import { publishableKeyOf } from '../store/publishable-keys.js';
import { Deeds } from './deeds.js';
import { idOfCursor, pageOf } from './id-cursor.js';
import { requireOwnMerchant } from './own-merchant.js';

type MerchantAnswer = z.infer<typeof merchantSchema>;

@ApiTags('Identity')
@Controller('merchants')
export class MerchantsController {
  constructor(
    private readonly database: Database,
    private readonly deeds: Deeds,
    private readonly tokens: TokenIssuer,
  ) {}

  @Post()
  @Access('users:write')
  @ApiOperation({ summary: 'Create a merchant' })
  @Answers(201, merchantSchema, 'The merchant.')
  async createMerchant(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: createMerchantSchema }) body: z.infer<typeof createMerchantSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const id = newId('mer');
    await this.deeds.answer(reply, { principal, meta, body, resourceId: id }, async (tx, actor) => {
      const { merchant, publishableKey } = await createMerchant(tx, actor, { id, name: body.name });
      return { status: 201, body: answerOf(merchant, publishableKey), headers: { location: `/merchants/${id}` } };
    });
  }

  @Get()
  @Access('users:read')
  @ApiOperation({ summary: 'List merchants', description: 'The newest first; by status.' })
  @Answers(200, merchantPageSchema, 'One page.')
  async listMerchants(
    @Query({ schema: listMerchantsQuerySchema }) query: ListMerchantsQuery,
  ): Promise<z.infer<typeof merchantPageSchema>> {
    const before = idOfCursor(query.cursor, /^mer_[0-9a-z]{26}$/);
    const found = await listMerchants(this.database, { status: query.status }, before, query.limit + 1);
    return pageOf(
      found,
      query.limit,
      ({ id }) => id,
      (merchant) => answerOf(merchant, merchant.publishableKey ?? undefined),
    );
  }

  @Get(':merchantId')
  @Access('merchants:read')
  @ApiOperation({ summary: 'Read a merchant' })
  @Answers(200, merchantSchema, 'The merchant.')
  async getMerchant(
    @Caller() principal: Principal,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
  ): Promise<MerchantAnswer> {
    requireOwnMerchant(principal, merchantId);
    const merchant = await findMerchant(this.database, merchantId);
    if (!merchant) throw new Problem('merchant_not_found');
    return answerOf(merchant, await publishableKeyOf(this.database, merchantId));
  }

  @Patch(':merchantId')
  @Access('merchants:write')
  @ApiOperation({ summary: 'Rename a merchant' })
  @Answers(200, merchantSchema, 'The merchant.')
  async updateMerchant(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Body({ schema: updateMerchantSchema }) body: z.infer<typeof updateMerchantSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    requireOwnMerchant(principal, merchantId);
    await this.deeds.answer(reply, { principal, meta, body, resourceId: merchantId }, async (tx, actor) =>
      answerWith(tx, await renameMerchant(tx, actor, merchantId, body.name)),
    );
  }

  @Post(':merchantId/block')
  @Access('users:write')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Block a merchant',
    description: 'Within a second every service refuses the tokens of its clients, its keys and its people.',
  })
  @Answers(200, merchantSchema, 'The merchant.')
  async blockMerchant(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Body({ schema: blockMerchantSchema }) body: z.infer<typeof blockMerchantSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.deeds.answer(reply, { principal, meta, body, resourceId: merchantId }, async (tx, actor) => {
      const command = { id: merchantId, reason: body.reason, until: this.tokens.lastExpiry() };
      return answerWith(tx, await blockMerchant(tx, actor, command));
    });
  }

  @Post(':merchantId/unblock')
  @Access('users:write')
  @HttpCode(200)
  @ApiOperation({ summary: 'Unblock a merchant' })
  @Answers(200, merchantSchema, 'The merchant.')
  async unblockMerchant(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.deeds.answer(reply, { principal, meta, body: null, resourceId: merchantId }, async (tx, actor) =>
      answerWith(tx, await unblockMerchant(tx, actor, merchantId)),
    );
  }
}

const answerWith = async (tx: Tx, merchant: Merchant | undefined): Promise<Answer> => {
  if (!merchant) throw new Problem('merchant_not_found');
  return { status: 200, body: answerOf(merchant, await publishableKeyOf(tx, merchant.id)) };
};

const answerOf = ({ id, name, status, createdAt }: Merchant, publishableKey: string | undefined): MerchantAnswer => ({
  merchantId: id,
  name,
  status,
  publishableKey: publishableKey ?? null,
  createdAt: createdAt.toISOString(),
});
