import { Body, Controller, Get, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  createClientSchema,
  createdClientSchema,
  createMerchantSchema,
  idSchema,
  merchantSchema,
  type Principal,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import {
  Access,
  type Answer,
  Answers,
  Caller,
  Idempotency,
  InjectConfig,
  Problem,
  RequestMeta,
  sendAnswer,
  type StoredAnswer,
} from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { type Actor, createClient, createMerchant } from '../application/merchants.js';
import type { AuthConfig } from '../auth.config.js';
import { seal, unseal } from '../keys/sealing.js';
import { findMerchant, type Merchant } from '../store/merchants.js';
import { publishableKeyOf } from '../store/publishable-keys.js';

type MerchantAnswer = z.infer<typeof merchantSchema>;
type CreateMerchantRequest = z.infer<typeof createMerchantSchema>;
type CreateClientRequest = z.infer<typeof createClientSchema>;
type CreatedClientAnswer = z.infer<typeof createdClientSchema>;

const LEASE_MS = 30_000;
const merchantIdSchema = idSchema('mer');

@ApiTags('Identity')
@Controller('merchants')
export class MerchantsController {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    @InjectConfig() private readonly config: AuthConfig,
  ) {}

  @Post()
  @Access('users:write')
  @ApiOperation({ summary: 'Create a merchant' })
  @Answers(201, merchantSchema, 'The merchant.')
  async createMerchant(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: createMerchantSchema }) body: CreateMerchantRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const id = newId('mer');
    const answer = await this.once({ principal, meta, body, resourceId: id }, async (tx, actor) => {
      const { merchant, publishableKey } = await createMerchant(tx, actor, { id, name: body.name });
      return { status: 201, body: answerOf(merchant, publishableKey), headers: { location: `/merchants/${id}` } };
    });
    await sendAnswer(reply, answer);
  }

  @Get(':merchantId')
  @Access('users:read')
  @ApiOperation({ summary: 'Read a merchant' })
  @Answers(200, merchantSchema, 'The merchant.')
  async getMerchant(@Param('merchantId', { schema: merchantIdSchema }) merchantId: string): Promise<MerchantAnswer> {
    const merchant = await findMerchant(this.database, merchantId);
    if (!merchant) throw new Problem('merchant_not_found');
    return answerOf(merchant, await publishableKeyOf(this.database, merchantId));
  }

  /**
   * The secret is in this answer and nowhere else; the database has its hash. A repetition with the same Idempotency-Key
   * must answer the same, or a lost answer would leave a client that nobody can use: the stored answer carries the secret
   * sealed under a key that is not in the database, for as long as keys are kept.
   */
  @Post(':merchantId/clients')
  @Access('users:write')
  @ApiOperation({ summary: 'Create a client that acts for a merchant', description: 'Its secret is shown once.' })
  @Answers(201, createdClientSchema, 'The client and its secret.')
  async createMerchantClient(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('merchantId', { schema: merchantIdSchema }) merchantId: string,
    @Body({ schema: createClientSchema }) body: CreateClientRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = await this.once({ principal, meta, body, resourceId: merchantId }, async (tx, actor) => {
      const outcome = await createClient(tx, actor, { merchantId, scopes: body.scopes });
      switch (outcome.kind) {
        case 'created': {
          const { createdAt, roles, scopes, ...client } = outcome.client;
          const clientSecret = this.sealed(client.clientId, client.clientSecret);
          const sent = {
            ...client,
            clientSecret,
            roles: [...roles],
            scopes: [...scopes],
            createdAt: createdAt.toISOString(),
          };
          return { status: 201, body: sent satisfies CreatedClientAnswer };
        }
        case 'merchant_not_found':
          throw new Problem('merchant_not_found');
        case 'scopes_beyond_role':
          throw new Problem('validation_failed', {
            detail: `A merchant's client cannot have: ${outcome.refused.join(' ')}.`,
            errors: [{ pointer: '/scopes', code: 'scope_not_grantable', message: 'is beyond what a merchant may do' }],
          });
      }
    });
    await sendAnswer(reply, this.withOpenSecret(answer));
  }

  private async once(
    request: {
      readonly principal: Principal;
      readonly meta: RequestMeta;
      readonly body: unknown;
      readonly resourceId: string;
    },
    work: (tx: Tx, actor: Actor) => Promise<Answer>,
  ): Promise<StoredAnswer> {
    const { principal, meta, body, resourceId } = request;
    const identity = this.idempotency.identify({ meta, principal, body });
    return await this.idempotency.runOnce(
      this.database,
      identity,
      { resourceId, leaseMs: LEASE_MS, moneyMoving: false },
      async (tx) => await work(tx, { principal, requestId: meta.requestId }),
    );
  }

  private sealed(clientId: string, secret: string): string {
    return seal(secret, this.config.SIGNING_KEY_ENCRYPTION_KEY, placeOf(clientId)).toString('base64url');
  }

  private withOpenSecret(answer: StoredAnswer): StoredAnswer {
    if (answer.status !== 201) return answer;
    const body = JSON.parse(answer.bodyText) as CreatedClientAnswer;
    const sealed = Buffer.from(body.clientSecret, 'base64url');
    const clientSecret = unseal(sealed, this.config.SIGNING_KEY_ENCRYPTION_KEY, placeOf(body.clientId));
    return { ...answer, bodyText: JSON.stringify({ ...body, clientSecret }) };
  }
}

const placeOf = (clientId: string): string => `client-secret:${clientId}`;

const answerOf = ({ id, name, status, createdAt }: Merchant, publishableKey: string | undefined): MerchantAnswer => ({
  merchantId: id,
  name,
  status,
  publishableKey: publishableKey ?? null,
  createdAt: createdAt.toISOString(),
});
