import { setTimeout as wait } from 'node:timers/promises';

import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger } from '@payflow/service';

import { WebhookClient } from '../clients/webhook-client.js';
import type { NotificationConfig } from '../notification.config.js';
import { claimDue, type DueDelivery, giveBack } from '../store/due-deliveries.js';
import { RecordTries } from './record-tries.js';
import { type Signer, WebhookSecrets } from './webhook-secrets.js';

const POLL_MS = 250;
const IDLE_POLL_MS = 1_000;
/** What ends or comes in the meantime is looked at together. */
const PASS_MS_MIN = 10;
/** On top of the time that an answer may take: for the database to write it down. */
const LEASE_REST_MS = 30_000;
/** At a stop, for those under way. */
const FINISH_MS = 5_000;
const USER_AGENT = 'PayFlow-Webhooks/1.0 (+https://www.standardwebhooks.com)';

/**
 * Sends what is owed: as many at once as there is room for, of each endpoint no more than its share. A delivery is claimed
 * with a lease; who dies with it, or cannot write down what became of it, leaves it to be sent again under the same id.
 */
@Injectable()
export class DeliverWebhooks implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;
  private readonly inFlight = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly database: Database,
    private readonly secrets: WebhookSecrets,
    private readonly client: WebhookClient,
    private readonly tries: RecordTries,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: NotificationConfig,
  ) {
    this.loop = new Loop('webhooks', logger, POLL_MS, () => this.pass(), IDLE_POLL_MS);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await Promise.race([Promise.all(this.underWay), wait(FINISH_MS, undefined, { ref: false })]);
    this.stopping.abort();
    await Promise.all(this.underWay);
    await this.client.close();
  }

  /** Something is owed, or there is room again. */
  poke(): void {
    this.loop.poke();
  }

  private async pass(): Promise<boolean> {
    const free = this.config.WEBHOOK_CONCURRENCY - this.underWay.size;
    if (free <= 0) return false;
    const claimed = await this.claim(free);
    if (claimed.length === 0) return false;
    const signers = await this.secrets.signersOf([...new Set(claimed.map(({ endpointId }) => endpointId))]);
    for (const delivery of claimed) {
      const signer = signers.get(delivery.endpointId);
      // Deleted this very moment: its secrets are gone, and it is claimed no more.
      if (signer !== undefined) this.start(delivery, signer);
    }
    await wait(PASS_MS_MIN);
    return true;
  }

  private async claim(free: number): Promise<readonly DueDelivery[]> {
    return await this.database.transaction(async (tx) => {
      const [, claimed] = await Promise.all([
        // A claim that a crash of the database forgets is a webhook that is sent twice: that much is promised to nobody.
        tx.execute('SET LOCAL synchronous_commit = off'),
        claimDue(tx, {
          free,
          perEndpoint: this.config.WEBHOOK_ENDPOINT_CONCURRENCY,
          leaseMs: this.config.WEBHOOK_TIMEOUT_MS + LEASE_REST_MS,
          inFlight: this.inFlight,
        }),
      ]);
      return claimed;
    });
  }

  private start(delivery: DueDelivery, signer: Signer | 'unreadable'): void {
    const { endpointId } = delivery;
    this.inFlight.set(endpointId, (this.inFlight.get(endpointId) ?? 0) + 1);
    const work = this.deliver(delivery, signer)
      .catch((error: unknown) => {
        this.logger.error({ err: error, deliveryId: delivery.id }, 'a webhook was not sent; it is after its lease');
      })
      .finally(() => {
        const left = (this.inFlight.get(endpointId) ?? 1) - 1;
        if (left > 0) this.inFlight.set(endpointId, left);
        else this.inFlight.delete(endpointId);
        this.underWay.delete(work);
        this.loop.poke();
      });
    this.underWay.add(work);
  }

  private async deliver(delivery: DueDelivery, signer: Signer | 'unreadable'): Promise<void> {
    if (signer === 'unreadable') {
      await this.tries.record(delivery, { statusCode: null, error: 'secret_unreadable', durationMs: 0 }, new Date());
      return;
    }
    const { url, eventId, body } = delivery;
    const at = new Date();
    const headers = {
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      ...signer.headers(eventId, body, at),
    };
    const answer = await this.answered({ url, headers, body });
    if (answer === undefined) {
      await giveBack(this.database, delivery);
      return;
    }
    crashPoint('webhook.after-post');
    await this.tries.record(delivery, answer, new Date());
  }

  /** @returns undefined when a stop did not let it end */
  private async answered(
    request: Parameters<WebhookClient['send']>[0],
  ): Promise<Awaited<ReturnType<WebhookClient['send']>> | undefined> {
    try {
      return await this.client.send(request, this.stopping.signal);
    } catch (error) {
      if (this.stopping.signal.aborted) return undefined;
      throw error;
    }
  }
}
