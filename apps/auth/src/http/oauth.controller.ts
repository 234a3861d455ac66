import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, type ApiBodyOptions, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  API_KEY_GRANT,
  type ProblemCode,
  PUBLISHABLE_KEY_GRANT,
  type TokenAnswer,
  tokenAnswerSchema,
  tokenRequestSchema,
} from '@payflow/contracts';
import type { Json } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { AcceptsForm, Answers, Problem, Public, validationProblem } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import { ApiKeyUpkeep } from '../application/api-key-upkeep.js';
import { issueApiKeyToken } from '../application/issue-api-key-token.js';
import { issueClientToken } from '../application/issue-client-token.js';
import { issuePayerToken } from '../application/issue-payer-token.js';
import { Sessions } from '../application/sessions.js';
import { type ClientCredentials, clientCredentialsOf } from '../credentials/client-credentials.js';
import { TokenIssuer } from '../keys/token-issuer.js';

type SchemaObject = Extract<ApiBodyOptions, { readonly schema: unknown }>['schema'];
type TokenRequest = z.infer<typeof tokenRequestSchema>;

/** For the description only: the body is checked by hand, because its refusals carry OAuth's own members. */
const tokenRequestJsonSchema = ((): SchemaObject => {
  // Without its id the schema stands where it is used, and is no reference to a definition beside it.
  const { $schema: _dialect, ...schema } = z.toJSONSchema(z.object(tokenRequestSchema.shape), { io: 'input' });
  return schema as SchemaObject;
})();

/** The error codes of RFC 6749 §5.2 that this grant can end in, and our problem for each. */
const PROBLEM_OF = {
  invalid_request: 'validation_failed',
  invalid_client: 'invalid_credentials',
  invalid_grant: 'invalid_grant',
  invalid_scope: 'invalid_scope',
  unsupported_grant_type: 'unsupported_grant_type',
} as const satisfies Readonly<Record<string, ProblemCode>>;

/** A problem document that is an OAuth error answer too: `error` and `error_description` beside our members. */
const oauthProblem = (error: keyof typeof PROBLEM_OF, description: string, more: Partial<Problem> = {}): Problem =>
  new Problem(PROBLEM_OF[error], {
    detail: description,
    extensions: { error, error_description: description } satisfies Record<string, Json>,
    headers: {
      // RFC 6749 §5.2: plain JSON, or client libraries do not read `error`.
      'content-type': 'application/json; charset=utf-8',
      // The challenge that the client may have used, not the Bearer one of our other 401s.
      ...(error === 'invalid_client' ? { 'www-authenticate': 'Basic realm="payflow"' } : {}),
    },
    ...(more.errors === undefined ? {} : { errors: more.errors }),
  });

@ApiTags('Identity')
@Controller('oauth')
export class OauthController {
  constructor(
    private readonly database: Database,
    private readonly tokens: TokenIssuer,
    private readonly apiKeys: ApiKeyUpkeep,
    private readonly sessions: Sessions,
  ) {}

  @Post('token')
  @Public()
  @AcceptsForm()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Get an access token with client credentials, or with a refresh token',
    description:
      'RFC 6749 §4.4, as a form or as JSON. The client authenticates with HTTP Basic or with `client_id` and ' +
      '`client_secret` in the body. `scope` narrows what the token may do. `refresh_token` prolongs the session of a ' +
      'person. A publishable key is exchanged by the grant ' +
      `\`${PUBLISHABLE_KEY_GRANT}\`, an API key by \`${API_KEY_GRANT}\`; the gateway does so for whoever sends one as ` +
      'his Bearer token.',
  })
  @ApiConsumes('application/x-www-form-urlencoded', 'application/json')
  @ApiBody({ schema: tokenRequestJsonSchema })
  @Answers(200, tokenAnswerSchema, 'The access token (RFC 6749 §5.1).')
  async issueToken(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<TokenAnswer> {
    // RFC 6749 §5.1: neither the answer nor a refusal is kept anywhere.
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
    const asked = tokenRequestOf(body);
    if (asked.grant_type === PUBLISHABLE_KEY_GRANT) return await this.payerToken(asked);
    if (asked.grant_type === API_KEY_GRANT) return await this.apiKeyToken(asked);
    if (asked.grant_type === 'refresh_token') return await this.refreshedToken(asked);
    const credentials = credentialsOf(request, asked);
    if (asked.grant_type !== 'client_credentials')
      throw oauthProblem('unsupported_grant_type', 'Only client_credentials and refresh_token are supported.');
    const outcome = await issueClientToken(this.database, this.tokens, { credentials, scope: asked.scope });
    switch (outcome.kind) {
      case 'issued':
        return {
          access_token: outcome.token.token,
          token_type: 'Bearer',
          expires_in: outcome.token.expiresInSeconds,
          scope: outcome.scopes.join(' '),
        };
      case 'invalid_client':
        throw oauthProblem('invalid_client', 'The client is unknown or its secret is wrong.');
      case 'invalid_scope':
        throw oauthProblem('invalid_scope', 'The client was not granted every scope it asks for.');
    }
  }

  /**
   * RFC 6749 §6, for people, who log in through our own client: a public one, which has no secret to show. What protects a
   * refresh token is that it works once (RFC 9700 §4.14.2).
   */
  private async refreshedToken({ refresh_token: token, scope }: TokenRequest): Promise<TokenAnswer> {
    if (token === undefined) throw oauthProblem('invalid_request', 'refresh_token is missing.');
    if (scope !== undefined) throw oauthProblem('invalid_scope', "A session's scopes cannot be changed.");
    const tokens = await this.sessions.refresh(token);
    if (!tokens) throw oauthProblem('invalid_grant', 'The refresh token is of no use: log in again.');
    return {
      access_token: tokens.access.token,
      token_type: 'Bearer',
      expires_in: tokens.access.expiresInSeconds,
      refresh_token: tokens.refreshToken,
      scope: tokens.scopes.join(' '),
    };
  }

  /** An API key is a client's whole credential. */
  private async apiKeyToken({ api_key: key, scope }: TokenRequest): Promise<TokenAnswer> {
    if (scope !== undefined) throw oauthProblem('invalid_scope', "A key's scopes are those it was created with.");
    const outcome = await issueApiKeyToken(this.database, this.tokens, this.apiKeys, key);
    if (outcome.kind === 'invalid_key')
      throw oauthProblem('invalid_client', 'The API key is unknown or works no more.');
    return {
      access_token: outcome.token.token,
      token_type: 'Bearer',
      expires_in: outcome.token.expiresInSeconds,
      scope: outcome.scopes.join(' '),
    };
  }

  /** A publishable key authenticates nobody, so there is no client to authenticate either. */
  private async payerToken({ publishable_key: key }: TokenRequest): Promise<TokenAnswer> {
    const outcome = await issuePayerToken(this.database, this.tokens, key);
    if (outcome.kind === 'invalid_key') throw oauthProblem('invalid_client', 'The publishable key is unknown.');
    return {
      access_token: outcome.token.token,
      token_type: 'Bearer',
      expires_in: outcome.token.expiresInSeconds,
      scope: outcome.scopes.join(' '),
    };
  }
}

/** RFC 6749 §3.2: a parameter without a value counts as left out. */
const tokenRequestOf = (body: unknown): TokenRequest => {
  const given =
    typeof body === 'object' && body !== null && !Array.isArray(body)
      ? Object.fromEntries(Object.entries(body).filter(([, value]) => value !== ''))
      : {};
  const parsed = tokenRequestSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw oauthProblem('invalid_request', 'A parameter is missing or malformed.', validationProblem(parsed.error.issues));
};

const credentialsOf = (request: FastifyRequest, asked: TokenRequest): ClientCredentials => {
  const found = clientCredentialsOf(request.headers.authorization, asked);
  switch (found.kind) {
    case 'found':
      return found.credentials;
    case 'missing':
      throw oauthProblem('invalid_client', 'The request does not authenticate its client.');
    case 'malformed':
      throw oauthProblem('invalid_request', `Client authentication: ${found.reason}.`);
  }
};
