import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type CreateTokenRequest,
  createTokenSchema,
  listTokensQuerySchema,
  type Principal,
  tokenIdSchema,
  tokenPageSchema,
  type TokenResponse,
  tokenSchema,
  type UpdateTokenRequest,
  updateTokenSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { CreateToken } from '../application/create-token.js';
import { DeleteToken } from '../application/delete-token.js';
import { ReadTokens } from '../application/read-tokens.js';
import { UpdateToken } from '../application/update-token.js';

@ApiTags('Tokens')
@Controller('tokens')
export class TokensController {
  constructor(
    private readonly createCommand: CreateToken,
    private readonly updateCommand: UpdateToken,
    private readonly deleteCommand: DeleteToken,
    private readonly tokens: ReadTokens,
  ) {}

  @Post()
  @Access('tokens:create')
  @ApiOperation({ summary: 'Store a card and get a token for it' })
  @Answers(201, tokenSchema, 'The token. The card number and the CVC are in no answer.')
  async createToken(
    @Caller() caller: Principal,
    @Body({ schema: createTokenSchema }) body: CreateTokenRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.createCommand.run(caller, body, meta));
  }

  @Get()
  @Access('tokens:read')
  @ApiOperation({ summary: 'List your tokens, newest first, without deleted ones' })
  @Answers(200, tokenPageSchema, 'A page of tokens.')
  async listTokens(
    @Caller() caller: Principal,
    @Query({ schema: listTokensQuerySchema }) query: z.infer<typeof listTokensQuerySchema>,
  ): Promise<z.infer<typeof tokenPageSchema>> {
    return await this.tokens.page(caller, query);
  }

  @Get(':tokenId')
  @Access('tokens:read')
  @ApiOperation({ summary: 'Read a token' })
  @Answers(200, tokenSchema, 'The token; a deleted one too, with status DELETED.')
  async getToken(
    @Caller() caller: Principal,
    @Param('tokenId', { schema: tokenIdSchema }) tokenId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenResponse> {
    const { token, version } = await this.tokens.one(caller, tokenId);
    void reply.header('etag', entityTag(version));
    return token;
  }

  @Patch(':tokenId')
  @Access('tokens:write')
  @ApiOperation({ summary: "Change a token's expiry, holder or metadata" })
  @Answers(200, tokenSchema, 'The token as it is now.')
  async updateToken(
    @Caller() caller: Principal,
    @Param('tokenId', { schema: tokenIdSchema }) tokenId: string,
    @Body({ schema: updateTokenSchema }) body: UpdateTokenRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.updateCommand.run(caller, tokenId, body, meta));
  }

  @Delete(':tokenId')
  @HttpCode(200)
  @Access('tokens:write')
  @ApiOperation({ summary: 'Delete a token; the card behind it is erased' })
  @Answers(200, tokenSchema, 'The token, DELETED.')
  async deleteToken(
    @Caller() caller: Principal,
    @Param('tokenId', { schema: tokenIdSchema }) tokenId: string,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.deleteCommand.run(caller, tokenId, meta));
  }
}
