import { Injectable } from '@nestjs/common';
import type { Principal } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  Idempotency,
  InjectConfig,
  type RequestMeta,
  seal,
  sendAnswer,
  type StoredAnswer,
  unseal,
} from '@payflow/service';
import type { FastifyReply } from 'fastify';

import type { Actor } from '../application/actor.js';
import type { AuthConfig } from '../auth.config.js';

const LEASE_MS = 30_000;

/** A request that changes something about a party. */
export interface DeedRequest {
  readonly principal: Principal;
  readonly meta: RequestMeta;
  readonly body: unknown;
  readonly resourceId: string;
}

/**
 * Does what a request asks once under its key, in one transaction, and answers it. A secret is in the answer and nowhere
 * else; the database has its hash. A repetition must answer the same, or a lost answer would leave a secret that nobody
 * knows: the stored answer carries it sealed under a key that is not in the database, for as long as keys are kept.
 */
@Injectable()
export class Deeds {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    @InjectConfig() private readonly config: Pick<AuthConfig, 'SIGNING_KEY_ENCRYPTION_KEY'>,
  ) {}

  /** @param secretMember the member of a successful answer that is shown once */
  async answer(
    reply: FastifyReply,
    request: DeedRequest,
    work: (tx: Tx, actor: Actor) => Promise<Answer>,
    secretMember?: string,
  ): Promise<void> {
    const { principal, meta, body, resourceId } = request;
    const stored = await this.idempotency.runOnce(
      this.database,
      this.idempotency.identify({ meta, principal, body }),
      { resourceId, leaseMs: LEASE_MS, moneyMoving: false },
      async (tx) => {
        const answer = await work(tx, { principal, requestId: meta.requestId });
        return secretMember === undefined ? answer : this.sealed(answer, secretMember);
      },
    );
    await sendAnswer(reply, secretMember === undefined ? stored : this.opened(stored, secretMember));
  }

  private sealed(answer: Answer, member: string): Answer {
    const body = answer.body as Readonly<Record<string, unknown>>;
    const secret = seal(String(body[member]), this.config.SIGNING_KEY_ENCRYPTION_KEY, PLACE).toString('base64url');
    return { ...answer, body: { ...body, [member]: secret } };
  }

  private opened(stored: StoredAnswer, member: string): StoredAnswer {
    if (stored.status >= 300) return stored;
    const body = JSON.parse(stored.bodyText) as Record<string, string>;
    const sealed = Buffer.from(body[member] ?? '', 'base64url');
    body[member] = unseal(sealed, this.config.SIGNING_KEY_ENCRYPTION_KEY, PLACE);
    return { ...stored, bodyText: JSON.stringify(body) };
  }
}

const PLACE = 'secret-in-answer';
