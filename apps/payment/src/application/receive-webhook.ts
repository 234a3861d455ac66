import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { crashPoint, Logger, Problem } from '@payflow/service';

import type { WebhookMessage, WebhookRequest } from '../clients/acquirer-port.js';
import { Acquirers } from '../clients/acquirers.js';
import { findOrderAt, insertWebhook } from '../store/psp-webhooks.js';
import { ProcessWebhooks } from './process-webhooks.js';

type Authentic = Exclude<WebhookMessage, { kind: 'not_authentic' }>;

/**
 * POST /webhooks/psp/{provider}, and /webhook for a provider that cannot be told its own address. The message is believed
 * only so far that there is news; it is stored and answered at once, and what it is about is then asked at the provider.
 */
@Injectable()
export class ReceiveWebhook {
  constructor(
    private readonly database: Database,
    private readonly acquirers: Acquirers,
    private readonly processing: ProcessWebhooks,
    private readonly logger: Logger,
  ) {}

  /** @throws Problem webhook_provider_unknown | webhook_not_authentic */
  async from(provider: string, request: WebhookRequest): Promise<void> {
    const acquirer = this.acquirers.named(provider);
    if (!acquirer) throw new Problem('webhook_provider_unknown');
    const message = acquirer.parseWebhook(request);
    if (message.kind === 'not_authentic') throw this.refused(provider, message.reason);
    await this.keep(provider, message);
  }

  /** From whichever provider signed it. @throws Problem webhook_not_authentic */
  async fromAnyone(request: WebhookRequest): Promise<void> {
    for (const provider of this.acquirers.names()) {
      const message = this.acquirers.named(provider)?.parseWebhook(request);
      if (message && message.kind !== 'not_authentic') {
        await this.keep(provider, message);
        return;
      }
    }
    throw this.refused('any', 'no provider has signed it');
  }

  private refused(provider: string, reason: string): Problem {
    this.logger.warn({ provider, reason }, 'a webhook is not authentic');
    return new Problem('webhook_not_authentic');
  }

  private async keep(provider: string, message: Authentic): Promise<void> {
    const operationId = message.kind === 'news' ? message.operationId : null;
    const disputeReference = message.kind === 'dispute_news' ? message.disputeReference : null;
    const order = operationId === null ? undefined : await findOrderAt(this.database, provider, operationId);
    const isNew = await insertWebhook(this.database, {
      provider,
      webhookId: message.webhookId,
      operationId,
      disputeReference,
      paymentId: order?.payment_id ?? null,
      ignoredBecause: reasonToIgnore(message, order !== undefined),
    });
    crashPoint('payment.webhook.after-store');
    this.logger.info(
      { provider, operationId, disputeReference, paymentId: order?.payment_id, isNew },
      'webhook received',
    );
    if (isNew) this.processing.poke();
  }
}

const reasonToIgnore = (message: Authentic, ours: boolean): string | null => {
  if (message.kind === 'ignored') return message.reason;
  // Whose dispute it is, its acquirer says when it is asked.
  if (message.kind === 'dispute_news') return null;
  return ours ? null : 'unknown_reference';
};
