import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type LoginAnswer,
  loginAnswerSchema,
  logoutSchema,
  type Principal,
  refreshSchema,
  sessionIdSchema,
  sessionsSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { AcceptsForm, Access, Answers, Caller, Problem, Public } from '@payflow/service';
import type { z } from 'zod';

import { Sessions } from '../application/sessions.js';
import { openSessionsOf } from '../store/sessions.js';
import { personOf } from './account-requests.js';
import { NothingInUrl } from './not-in-url.js';
import { sessionAnswerOf } from './session-answer.js';

@ApiTags('Identity')
@Controller('auth')
export class SessionsController {
  constructor(
    private readonly database: Database,
    private readonly sessions: Sessions,
  ) {}

  @Post('refresh')
  @Public()
  @NothingInUrl()
  @AcceptsForm()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Take a refresh token for new tokens',
    description:
      'Each refresh token works once. A repetition within thirty seconds gets the same successor again, for a client that lost ' +
      'the answer; later, or after the successor was used, it counts as stolen and ends the session.',
  })
  @Answers(200, loginAnswerSchema, 'A new access token and the next refresh token.')
  async refreshSession(@Body({ schema: refreshSchema }) body: z.infer<typeof refreshSchema>): Promise<LoginAnswer> {
    const tokens = await this.sessions.refresh(body.refreshToken);
    if (!tokens) throw new Problem('refresh_token_invalid');
    return sessionAnswerOf(tokens);
  }

  @Post('logout')
  @Access('account:write')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Log out',
    description: 'Ends this session, or with `all` every one. Their tokens are refused everywhere within a second.',
  })
  @ApiNoContentResponse({ description: 'The session has ended.' })
  async logOut(
    @Caller() principal: Principal,
    @Body({ schema: logoutSchema }) body: z.infer<typeof logoutSchema>,
  ): Promise<void> {
    const person = personOf(principal);
    await this.database.transaction(async (tx) => {
      if (body.all === true) await this.sessions.endAll(tx, person.id, 'logout');
      else await this.sessions.end(tx, person.sessionId, person.id, 'logout');
    });
  }

  @Get('sessions')
  @Access('account:write')
  @ApiOperation({ summary: 'List the sessions of the person who asks' })
  @Answers(200, sessionsSchema, 'Those that are open, the newest first.')
  async listSessions(@Caller() principal: Principal): Promise<z.infer<typeof sessionsSchema>> {
    const person = personOf(principal);
    const sessions = await openSessionsOf(this.database, person.id);
    return {
      data: sessions.map(({ id, createdAt, lastUsedAt, expiresAt, address, userAgent }) => ({
        sessionId: id,
        current: id === person.sessionId,
        createdAt: createdAt.toISOString(),
        lastUsedAt: lastUsedAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
        address,
        userAgent,
      })),
    };
  }

  @Delete('sessions/:sessionId')
  @Access('account:write')
  @HttpCode(204)
  @ApiOperation({ summary: 'End one session' })
  @ApiNoContentResponse({ description: 'The session has ended.' })
  async endOneSession(
    @Caller() principal: Principal,
    @Param('sessionId', { schema: sessionIdSchema }) sessionId: string,
  ): Promise<void> {
    const person = personOf(principal);
    const ended = await this.database.transaction(
      async (tx) => await this.sessions.end(tx, sessionId, person.id, 'logout'),
    );
    if (!ended) throw new Problem('session_not_found');
  }
}
