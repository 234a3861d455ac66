import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Logger, runInContext } from '@payflow/service';

import { unrecordedDispute } from '../domain/exceptions.js';
import { isOpen, operationOf } from '../domain/payment.js';
import type { Cause } from '../store/payment-events.js';
import { raiseException } from '../store/payment-exceptions.js';
import { claimWebhooks, finishWebhook, forgetWebhooks, type WebhookRow } from '../store/psp-webhooks.js';
import { InquireDisputes } from './inquire-disputes.js';
import { ResolveOrders } from './resolve-orders.js';

const POLL_MS = 2_000;
const WEBHOOKS_MAX = 20;
/**
 * About two hours. After that the inquiries of the order itself are enough, where it has any: one that has ended, or a dispute
 * that nobody understands, is asked about every hour, and people know of the dispute.
 */
const TRIES_MAX = 10;
const RETENTION_DAYS = 30;
const FORGOTTEN_MAX = 1_000;
const FORGET_EVERY_MS = 60_000;

/** Works on what providers have told: asks about the order and records the answer. Timers are rows. */
@Injectable()
export class ProcessWebhooks implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;
  private readonly forgetting: Loop;

  constructor(
    private readonly database: Database,
    private readonly orders: ResolveOrders,
    private readonly disputes: InquireDisputes,
    private readonly logger: Logger,
  ) {
    this.loop = new Loop('webhooks', logger, POLL_MS, async () => (await this.pass()) === WEBHOOKS_MAX);
    this.forgetting = new Loop('webhook-retention', logger, FORGET_EVERY_MS, async () => {
      return (await forgetWebhooks(this.database, RETENTION_DAYS, FORGOTTEN_MAX)) === FORGOTTEN_MAX;
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
    this.forgetting.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.loop.stop(), this.forgetting.stop()]);
  }

  /** There is news: it is looked at now and not at the next poll. */
  poke(): void {
    this.loop.poke();
  }

  /** @returns how many messages were worked on */
  async pass(): Promise<number> {
    const webhooks = await claimWebhooks(this.database, WEBHOOKS_MAX);
    await Promise.all(webhooks.map(async (webhook) => await this.workOn(webhook)));
    return webhooks.length;
  }

  /** One that fails does not hurt the others: it is due again when its lease is over. */
  private async workOn(webhook: WebhookRow): Promise<void> {
    const { provider, webhook_id: webhookId } = webhook;
    const cause = { requestId: `webhook:${webhookId}`, principalId: `psp:${provider}` };
    await runInContext({ requestId: cause.requestId }, async () => {
      try {
        if (webhook.dispute_reference === null) await this.resolveOrder(webhook, cause);
        else await this.inquireDispute(webhook, webhook.dispute_reference, cause);
      } catch (error) {
        this.logger.warn({ err: error, provider, webhookId }, 'a webhook could not be worked on');
      }
    });
  }

  private async resolveOrder(webhook: Extract<WebhookRow, { dispute_reference: null }>, cause: Cause): Promise<void> {
    const { payment_id: paymentId, operation_id: operationId } = webhook;
    await runInContext({ paymentId, requestId: cause.requestId }, async () => {
      const { answered, payment } = await this.orders.resolve(paymentId, operationId, cause);
      const operation = payment && operationOf(payment, operationId);
      if (answered) await finishWebhook(this.database, webhook, null);
      else if (webhook.tries >= TRIES_MAX && operation && isOpen(operation))
        await finishWebhook(this.database, webhook, 'no_answer');
    });
  }

  /**
   * Never given up before the acquirer has answered, for nothing else may tell of it again; and that it does not know a
   * dispute is no answer yet, for its news may be faster than its books. People hear of both.
   */
  private async inquireDispute(webhook: WebhookRow, reference: string, cause: Cause): Promise<void> {
    const { provider, tries } = webhook;
    const result = await this.disputes.ask(provider, reference, cause);
    if (result !== 'no_answer' && result !== 'unknown_dispute') {
      await finishWebhook(this.database, webhook, result === 'recorded' ? null : result);
      return;
    }
    if (tries < TRIES_MAX) return;
    this.logger.error({ provider, disputeReference: reference, result, tries }, 'a dispute is left to people');
    await this.database.transaction(async (tx) => {
      await raiseException(tx, newId('pex'), null, unrecordedDispute(provider, reference, result));
      if (result === 'unknown_dispute') await finishWebhook(tx, webhook, result);
    });
  }
}
