import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger } from '@payflow/service';
import { Webhook } from 'standardwebhooks';
import { Agent } from 'undici';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import type { AcquirerName } from '../domain/acquirers.js';
import { claimWebhooks, type DueWebhook, markAccepted, markFailed, nextSendAt } from '../store/webhooks.js';
import { BackgroundLoop } from './background-loop.js';

const WEBHOOKS_MAX = 50;
const ANSWER_TIMEOUT_MS = 10_000;
/** Longer than an answer may take. */
const LEASE_MS = 20_000;
const MS_PER_SECOND = 1_000;

/**
 * Empties the outbox: each webhook signed by Standard Webhooks, again and again by the schedule until it is answered with
 * a 2xx. Those of one payment go one after the other.
 */
@Injectable()
export class SendWebhooks implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: BackgroundLoop;
  private readonly agent = new Agent({ connect: { timeout: ANSWER_TIMEOUT_MS } });
  private readonly stopping = new AbortController();

  constructor(
    private readonly database: Database,
    @InjectConfig() private readonly config: AcquirerSimConfig,
    private readonly logger: Logger,
  ) {
    this.loop = new BackgroundLoop('webhooks', logger, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    // One whose answer is not waited for any more is sent again by whoever runs next.
    this.stopping.abort();
    await this.loop.stop();
    await this.agent.close();
  }

  /** There is one to send. */
  poke(): void {
    this.loop.poke();
  }

  private async pass(): Promise<Date | null> {
    const at = new Date();
    const claimed = await claimWebhooks(this.database, at, new Date(at.getTime() + LEASE_MS), WEBHOOKS_MAX);
    await Promise.all(byPayment(claimed).map(async (webhooks) => await this.sendInTurn(webhooks)));
    return await nextSendAt(this.database);
  }

  private async sendInTurn(webhooks: readonly DueWebhook[]): Promise<void> {
    for (const webhook of webhooks) {
      const status = await this.send(webhook);
      if (this.stopping.signal.aborted && status === null) return;
      const at = new Date();
      if (isAccepted(status)) await markAccepted(this.database, webhook, status, at);
      else await markFailed(this.database, webhook.position, status, this.sendAgainAt(webhook, at), at);
      // Whoever does not answer one will hardly answer the next: those go when their lease is over.
      if (status === null) return;
    }
  }

  /** @returns the status of the answer; null when none came */
  private async send(webhook: DueWebhook): Promise<number | null> {
    const { origin, pathname, search } = new URL(this.addressFor(webhook.acquirer));
    try {
      const response = await this.agent.request({
        origin,
        path: pathname + search,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...this.signed(webhook) },
        body: webhook.body,
        signal: AbortSignal.any([AbortSignal.timeout(ANSWER_TIMEOUT_MS), this.stopping.signal]),
      });
      await response.body.dump();
      return response.statusCode;
    } catch (error) {
      this.logger.warn({ err: error, reference: webhook.reference }, 'a webhook was not answered');
      return null;
    }
  }

  private signed({
    acquirer,
    webhookId,
    body,
    timestampOffsetSeconds,
    badSignature,
  }: DueWebhook): Record<string, string> {
    const secret = this.config.WEBHOOK_SECRETS[acquirer];
    if (secret === undefined) throw new Error(`invariant: ${acquirer} has a webhook and no secret`);
    const seconds = Math.floor(Date.now() / MS_PER_SECOND) + timestampOffsetSeconds;
    const signature = new Webhook(secret).sign(
      webhookId,
      new Date(seconds * MS_PER_SECOND),
      badSignature ? `${body} ` : body,
    );
    return { 'webhook-id': webhookId, 'webhook-timestamp': String(seconds), 'webhook-signature': signature };
  }

  private addressFor(acquirer: AcquirerName): string {
    return this.config.WEBHOOK_URL.replace('{GATEWAY}', this.config.GATEWAY_URL).replace('{acquirer}', acquirer);
  }

  private sendAgainAt({ attempts }: DueWebhook, at: Date): Date | null {
    const seconds = this.config.WEBHOOK_RETRY_DELAYS_SECONDS[attempts - 1];
    return seconds === undefined ? null : new Date(at.getTime() + seconds * MS_PER_SECOND);
  }
}

const isAccepted = (status: number | null): status is number => status !== null && status >= 200 && status < 300;

const byPayment = (webhooks: readonly DueWebhook[]): DueWebhook[][] => {
  const groups = new Map<string, DueWebhook[]>();
  for (const webhook of webhooks) {
    const group = groups.get(webhook.paymentId) ?? [];
    groups.set(webhook.paymentId, [...group, webhook]);
  }
  return [...groups.values()];
};
