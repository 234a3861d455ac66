import { Injectable } from '@nestjs/common';
import type { Principal } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { type Answer, Idempotency, Problem, type RequestMeta, seal, type StoredAnswer, unseal } from '@payflow/service';

import { AccountKeys } from '../application/account-keys.js';

const LEASE_MS = 30_000;

/** Whoever has no account yet, or does not say which. Strangers' keys are told apart by the content of their requests. */
const STRANGER: Principal = { id: 'public', kind: 'user', roles: [], scopes: [] };

export interface AccountRequest {
  /** Undefined: nobody is logged in. */
  readonly principal?: Principal;
  readonly meta: RequestMeta;
  readonly body: unknown;
  readonly resourceId: string;
}

/**
 * Requests about accounts under their Idempotency-Key. They hold passwords and codes, so what a key's row keeps of them is a
 * keyed hash; an answer that holds a secret is stored sealed. Login and refresh take no key: their answers are tokens, and a
 * repetition makes new ones.
 */
@Injectable()
export class AccountRequests {
  private readonly idempotency: Idempotency;

  constructor(
    private readonly database: Database,
    private readonly keys: AccountKeys,
    idempotency: Idempotency,
  ) {
    this.idempotency = idempotency.withHash((content) => keys.requestHash(content));
  }

  async once(request: AccountRequest, work: (tx: Tx) => Promise<Answer>): Promise<StoredAnswer> {
    const { principal = STRANGER, meta, body, resourceId } = request;
    const identity = this.idempotency.identify({ meta, principal, body });
    const options = { resourceId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, work);
  }

  /** The same for an answer that nobody may read in the database. */
  async onceSealed(request: AccountRequest, work: (tx: Tx) => Promise<Answer>): Promise<StoredAnswer> {
    const place = `answer:${request.meta.route}:${request.resourceId}`;
    const stored = await this.once(request, async (tx) => {
      const { body, ...answer } = await work(tx);
      return { ...answer, body: { sealed: seal(JSON.stringify(body), this.keys.sealing, place).toString('base64') } };
    });
    if (stored.status >= 400) return stored;
    const { sealed } = JSON.parse(stored.bodyText) as { readonly sealed: string };
    return { ...stored, bodyText: unseal(Buffer.from(sealed, 'base64'), this.keys.sealing, place) };
  }
}

/** A person who is logged in, with his session. Clients and services have neither passwords nor sessions. */
export const personOf = (principal: Principal): Principal & { readonly sessionId: string } => {
  const { kind, sessionId } = principal;
  if (kind !== 'user' || sessionId === undefined)
    throw new Problem('insufficient_scope', { detail: 'Only a person who has logged in can do this.' });
  return { ...principal, sessionId };
};
