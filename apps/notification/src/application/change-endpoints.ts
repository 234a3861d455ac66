import { Injectable } from '@nestjs/common';
import type {
  CreateWebhookEndpointRequest,
  Principal,
  RotateWebhookSecretRequest,
  UpdateWebhookEndpointRequest,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';
import {
  type Answer,
  entityTag,
  InjectConfig,
  Logger,
  Problem,
  type RequestMeta,
  requireVersion,
  type StoredAnswer,
} from '@payflow/service';

import { ReceiverAddresses } from '../clients/receiver-addresses.js';
import { HEALTHY } from '../domain/endpoint-health.js';
import type { NotificationConfig } from '../notification.config.js';
import { countEndpoints, type EndpointRow, insertEndpoint, saveEndpoint } from '../store/endpoints.js';
import { wakeAll } from '../store/due-deliveries.js';
import { deleteSecrets, expireSecrets, insertSecret, signingSecrets } from '../store/secrets.js';
import { DeliverWebhooks } from './deliver-webhooks.js';
import { EndpointRequests } from './endpoint-requests.js';
import { endpointView } from './endpoint-view.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { merchantFor } from './webhook-ownership.js';

/** Each of a merchant's events is matched with all of his endpoints. */
const ENDPOINTS_MAX = 20;
/** Each signs every delivery, twice, in one header. */
const SIGNING_SECRETS_MAX = 5;

/** POST, PATCH and DELETE of /webhook-endpoints, and their secrets. */
@Injectable()
export class ChangeEndpoints {
  constructor(
    private readonly requests: EndpointRequests,
    private readonly addresses: ReceiverAddresses,
    private readonly secrets: WebhookSecrets,
    private readonly deliveries: DeliverWebhooks,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: Pick<NotificationConfig, 'WEBHOOK_SECRET_OVERLAP_SECONDS'>,
  ) {}

  /** @throws Problem merchant_required | insufficient_scope | webhook_url_forbidden | webhook_endpoints_exceeded */
  async create(principal: Principal, meta: RequestMeta, body: CreateWebhookEndpointRequest): Promise<StoredAnswer> {
    const merchantId = merchantFor(principal, body.merchantId);
    const refusal = await this.addresses.refusalOf(body.url);
    const request = { principal, meta, body, resourceId: newId('we') };
    return await this.requests.onceSealed(request, async (tx, id) => {
      requireAddress(refusal);
      if ((await countEndpoints(tx, merchantId)) >= ENDPOINTS_MAX) throw new Problem('webhook_endpoints_exceeded');
      const { url, eventTypes, ordered, description = null } = body;
      const endpoint = await insertEndpoint(tx, { id, merchantId, url, eventTypes, description, ordered });
      const { secret, publicKey, row } = this.secrets.make(id, 1);
      await insertSecret(tx, row);
      this.logger.info({ endpointId: id, merchantId, by: principal.id }, 'a webhook endpoint was made');
      return {
        status: 201,
        body: { ...endpointView(endpoint, [publicKey]), secret },
        headers: { location: `/webhook-endpoints/${id}`, etag: entityTag(endpoint.version) },
      };
    });
  }

  /** @throws Problem webhook_endpoint_not_found | precondition_failed | webhook_url_forbidden */
  async update(
    principal: Principal,
    meta: RequestMeta,
    endpointId: string,
    body: UpdateWebhookEndpointRequest,
  ): Promise<StoredAnswer> {
    const refusal = body.url === undefined ? undefined : await this.addresses.refusalOf(body.url);
    return await this.requests.once({ principal, meta, body, resourceId: endpointId }, async (tx) => {
      const endpoint = await this.requests.locked(tx, principal, endpointId);
      requireVersion(meta.ifMatch, endpoint.version);
      requireAddress(refusal);
      tx.onCommit(() => {
        this.deliveries.poke();
      });
      if (endpoint.ordered && body.ordered === false) await wakeAll(tx, endpointId);
      return await this.answerOf(tx, await saveEndpoint(tx, changed(endpoint, body)));
    });
  }

  /** Its secrets go at once; what was owed to it is canceled by and by. @throws Problem webhook_endpoint_not_found */
  async delete(principal: Principal, meta: RequestMeta, endpointId: string): Promise<StoredAnswer> {
    return await this.requests.once({ principal, meta, body: null, resourceId: endpointId }, async (tx) => {
      const endpoint = await this.requests.locked(tx, principal, endpointId);
      requireVersion(meta.ifMatch, endpoint.version);
      await saveEndpoint(tx, { ...endpoint, ...HEALTHY, status: 'DELETED' });
      await deleteSecrets(tx, endpointId);
      this.logger.info({ endpointId, merchantId: endpoint.merchantId, by: principal.id }, 'a webhook endpoint is gone');
      return { status: 204, body: undefined };
    });
  }

  /** @throws Problem webhook_endpoint_not_found | webhook_secrets_exceeded */
  async rotateSecret(
    principal: Principal,
    meta: RequestMeta,
    endpointId: string,
    body: RotateWebhookSecretRequest,
  ): Promise<StoredAnswer> {
    return await this.requests.onceSealed({ principal, meta, body, resourceId: endpointId }, async (tx) => {
      await this.requests.locked(tx, principal, endpointId);
      const overlapSeconds = body.overlapSeconds ?? this.config.WEBHOOK_SECRET_OVERLAP_SECONDS;
      const { nextVersion, formerExpireAt, formerSigning } = await expireSecrets(tx, endpointId, overlapSeconds);
      if (formerSigning >= SIGNING_SECRETS_MAX) throw new Problem('webhook_secrets_exceeded');
      const { secret, publicKey, row } = this.secrets.make(endpointId, nextVersion);
      await insertSecret(tx, row);
      this.logger.info({ endpointId, by: principal.id }, 'the secret of a webhook endpoint was rotated');
      return {
        status: 200,
        body: { id: endpointId, secret, publicKey, formerExpireAt: formerExpireAt.toISOString() },
      };
    });
  }

  private async answerOf(tx: Tx, endpoint: EndpointRow): Promise<Answer> {
    const keys = await signingSecrets(tx, [endpoint.id]);
    return {
      status: 200,
      body: endpointView(
        endpoint,
        keys.map(({ publicKey }) => publicKey),
      ),
      headers: { etag: entityTag(endpoint.version) },
    };
  }
}

const requireAddress = (refusal: string | undefined): void => {
  if (refusal !== undefined)
    throw new Problem('webhook_url_forbidden', {
      detail: refusal,
      errors: [{ pointer: '/url', code: 'forbidden', message: refusal }],
    });
};

/** One that is enabled, or goes to another address, starts without a past. */
const changed = (endpoint: EndpointRow, body: UpdateWebhookEndpointRequest): EndpointRow => {
  const status = body.status ?? endpoint.status;
  const isFresh = (body.url !== undefined && body.url !== endpoint.url) || status !== endpoint.status;
  return {
    ...endpoint,
    ...(isFresh ? HEALTHY : {}),
    url: body.url ?? endpoint.url,
    eventTypes: body.eventTypes ?? endpoint.eventTypes,
    description: body.description === undefined ? endpoint.description : body.description,
    ordered: body.ordered ?? endpoint.ordered,
    status,
    disabledReason: status === 'ENABLED' ? null : (endpoint.disabledReason ?? 'merchant'),
  };
};
