import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import {
  type ForwardRequest,
  forwardRequestSchema,
  type ForwardResponse,
  type Principal,
  tokenIdSchema,
  type TokenUsability,
  type VaultKeysResponse,
} from '@payflow/contracts';
import { Access, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { ForwardCard } from '../application/forward-card.js';
import { ReadTokens } from '../application/read-tokens.js';
import { RotateKeys } from '../application/rotate-keys.js';

const usabilityQuerySchema = z.strictObject({
  merchantId: z.string().regex(/^mer_[0-9a-z]{26}$/),
  userId: z.string().min(1).max(64).optional(),
});

/** What other services ask of the vault, and its operator. */
@Controller('internal')
export class VaultController {
  constructor(
    private readonly forwardCard: ForwardCard,
    private readonly tokens: ReadTokens,
    private readonly rotation: RotateKeys,
  ) {}

  @Post('forward')
  @HttpCode(200)
  @Access('internal')
  async forward(
    @Caller() caller: Principal,
    @Body({ schema: forwardRequestSchema }) body: ForwardRequest,
  ): Promise<ForwardResponse> {
    return await this.forwardCard.run(caller, body);
  }

  @Get('tokens/:tokenId')
  @Access('internal')
  async tokenUsability(
    @Param('tokenId', { schema: tokenIdSchema }) tokenId: string,
    @Query({ schema: usabilityQuerySchema }) query: z.infer<typeof usabilityQuerySchema>,
  ): Promise<TokenUsability> {
    return await this.tokens.usability(tokenId, query.merchantId, query.userId ?? null);
  }

  @Get('vault/keys')
  @Access('keys:rotate')
  async vaultKeys(): Promise<VaultKeysResponse> {
    return await this.rotation.keys();
  }

  @Post('vault/keys/rotate')
  @Access('keys:rotate')
  async rotateVaultKeys(
    @Caller() caller: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.rotation.begin(caller, meta));
  }
}
