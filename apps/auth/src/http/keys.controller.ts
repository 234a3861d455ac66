import { Controller, Get, Header, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { jwksSchema, keyRotationSchema, type Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Idempotency, Problem, Public, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { JSONWebKeySet } from 'jose';

import { ROTATION_INTERVAL_MS_MIN } from '../domain/key-schedule.js';
import { SigningKeys } from '../keys/signing-keys.js';
import { appendAudit } from '../store/audit-log.js';

const LEASE_MS = 30_000;

@ApiTags('Identity')
@Controller()
export class KeysController {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly keys: SigningKeys,
  ) {}

  /** A verifier that meets an unknown kid asks again whatever the cache says; this only spares the others. */
  @Get('.well-known/jwks.json')
  @Public()
  @Header('cache-control', 'public, max-age=60')
  @ApiOperation({ summary: 'The public keys that verify access tokens (RFC 7517)' })
  @Answers(200, jwksSchema, 'The key that signs, the one that will sign next, and those whose tokens may still live.')
  async jwks(): Promise<JSONWebKeySet> {
    return await this.keys.published();
  }

  @Post('auth/keys/rotate')
  @Access('keys:rotate')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Rotate the signing keys',
    description:
      'The next key, which verifiers know already, signs from now on. The one that signed stays published until the ' +
      'last of its tokens has expired, so no token in flight is refused.',
  })
  @Answers(200, keyRotationSchema, 'Which keys sign now, sign next, and only verify.')
  async rotateKeys(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const identity = this.idempotency.identify({ meta, principal, body: null });
    const options = { resourceId: 'signing-keys', leaseMs: LEASE_MS, moneyMoving: false };
    const answer = await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const rotation = await this.keys.rotate(tx);
      if (!rotation) throw rotatedRecently();
      await appendAudit(tx, {
        actor: principal.id,
        action: 'signing_key.rotated',
        target: rotation.current,
        requestId: meta.requestId,
        details: { retiring: rotation.retiring.kid },
      });
      return { status: 200, body: rotation };
    });
    this.keys.forget();
    await sendAnswer(reply, answer);
  }
}

const rotatedRecently = (): Problem =>
  new Problem('concurrent_update', {
    detail: 'The keys were rotated a moment ago. Every verifier must know the next key before it signs.',
    headers: { 'retry-after': String(Math.ceil(ROTATION_INTERVAL_MS_MIN / 1_000)) },
  });
