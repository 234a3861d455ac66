import { Injectable } from '@nestjs/common';
import type { Principal } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { type Answer, Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { type EndpointRow, lockEndpoint } from '../store/endpoints.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { sees } from './webhook-ownership.js';

const LEASE_MS = 10_000;

/** A request that changes something. */
export interface ChangeRequest {
  readonly principal: Principal;
  readonly meta: RequestMeta;
  readonly body: unknown;
  readonly resourceId: string;
}

/** Requests about endpoints, each with one effect under its Idempotency-Key. */
@Injectable()
export class EndpointRequests {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly secrets: WebhookSecrets,
  ) {}

  async once(request: ChangeRequest, work: (tx: Tx, resourceId: string) => Promise<Answer>): Promise<StoredAnswer> {
    const { principal, meta, body, resourceId } = request;
    const identity = this.idempotency.identify({ meta, principal, body });
    const options = { resourceId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, work);
  }

  /**
   * The same for an answer with a secret. A repetition must answer the same, or a lost answer would leave a secret that
   * nobody knows: it is kept with its key, sealed.
   */
  async onceSealed(
    request: ChangeRequest,
    work: (tx: Tx, resourceId: string) => Promise<Answer>,
  ): Promise<StoredAnswer> {
    const place = `answer:${request.meta.route}:${request.principal.id}`;
    const stored = await this.once(request, async (tx, resourceId) => {
      const answer = await work(tx, resourceId);
      return { ...answer, body: this.secrets.sealAnswer(answer.body, place) };
    });
    return stored.status >= 400 ? stored : { ...stored, bodyText: this.secrets.openAnswer(stored.bodyText, place) };
  }

  /** @throws Problem webhook_endpoint_not_found, also for another merchant's */
  async locked(tx: Tx, principal: Principal, endpointId: string): Promise<EndpointRow> {
    const endpoint = await lockEndpoint(tx, endpointId);
    if (endpoint === undefined || !sees(principal, endpoint.merchantId))
      throw new Problem('webhook_endpoint_not_found');
    return endpoint;
  }

  /** @throws Problem webhook_endpoint_not_found | webhook_endpoint_disabled */
  async lockedEnabled(tx: Tx, principal: Principal, endpointId: string): Promise<EndpointRow> {
    const endpoint = await this.locked(tx, principal, endpointId);
    if (endpoint.status !== 'ENABLED') throw new Problem('webhook_endpoint_disabled');
    return endpoint;
  }
}
