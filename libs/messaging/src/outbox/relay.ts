import type { PoolClient } from 'pg';
import type { Database } from '@payflow/postgres';
import { crashPoint, type Logger } from '@payflow/service';

import { groupBy } from '../group-by.js';
import type { KafkaCluster } from '../kafka/cluster.js';
import { withDeadline } from '../kafka/deadline.js';
import { Loop } from '../loop.js';
import type { MessagingSettings } from '../settings.js';
import { markPublished, pendingRows, type PendingRow, relaxDurability, tryRelayLock } from './relay-sql.js';

const FLUSH_PASSES_MAX = 20;

/**
 * Sends the outbox to Kafka: one relay for each database, elected by a session advisory lock on a connection of its own.
 * Rows are selected and marked on that same connection, so a relay that lost the lock can do neither. Rows go out by
 * position, which for one aggregate is the order of commits; after an error the batch is selected and sent again.
 */
export class Relay {
  private readonly loop: Loop;
  private holder: PoolClient | undefined;
  private topicsKnown = false;

  constructor(
    private readonly database: Database,
    private readonly cluster: KafkaCluster,
    private readonly logger: Logger,
    private readonly settings: MessagingSettings,
  ) {
    this.loop = new Loop('relay', logger, settings.relayPollMs, () => this.pass(), settings.relayIdlePollMs);
  }

  start(): void {
    this.loop.start();
  }

  /** Something was committed in this process. */
  poke(): void {
    if (this.holder !== undefined) this.loop.poke();
  }

  get isElected(): boolean {
    return this.holder !== undefined;
  }

  /** Sends what is there, gives up the lock and the producer. */
  async stop(): Promise<void> {
    try {
      await withDeadline(this.loop.stop(), this.settings.stopDeadlineMs, 'stopping the relay');
      for (let pass = 0; this.holder !== undefined && pass < FLUSH_PASSES_MAX; pass += 1)
        if ((await withDeadline(this.publishBatch(this.holder), this.settings.stopDeadlineMs, 'the last flush')) === 0)
          break;
    } catch (error) {
      this.logger.warn({ err: error }, 'the outbox was not flushed; the next relay goes on');
    }
    this.resign();
    await this.cluster.resetProducer();
  }

  private async pass(): Promise<boolean> {
    try {
      this.holder ??= await this.elect();
      if (this.holder === undefined) {
        await this.loop.idle(this.settings.relayElectionMs);
        return false;
      }
      return await this.publishPaced(this.holder);
    } catch (error) {
      // The lock's connection may be what broke: stand for election again, on a new one.
      this.resign();
      this.topicsKnown = false;
      await this.cluster.resetProducer();
      throw error;
    }
  }

  private async elect(): Promise<PoolClient | undefined> {
    const client = await this.database.dedicatedClient();
    // A connection without a listener for errors would end the process.
    const onError = (error: Error): void => {
      if (this.holder !== client) return;
      this.logger.warn({ err: error }, 'the connection that holds the relay lock broke');
      this.resign();
    };
    client.on('error', onError);
    try {
      if (!(await tryRelayLock(client))) {
        client.off('error', onError);
        client.release();
        return undefined;
      }
      await relaxDurability(client);
    } catch (error) {
      client.release(true);
      throw error;
    }
    this.logger.info('this instance relays the outbox');
    return client;
  }

  /** Ends the connection, and with it the lock. */
  private resign(): void {
    const { holder } = this;
    this.holder = undefined;
    holder?.release(true);
  }

  /**
   * While there is much to send, rows wait a moment for each other: a sending costs the same for one and for fifty.
   *
   * @returns whether anything went out, so that there may be more
   */
  private async publishPaced(client: PoolClient): Promise<boolean> {
    const begun = performance.now();
    const sent = await this.publishBatch(client);
    if (sent === 0) return false;
    const restMs = this.settings.relayPaceMs - (performance.now() - begun);
    if (sent < this.settings.relayBatchRowsMax && restMs > 0) await this.loop.rest(restMs);
    return true;
  }

  /** @returns how many messages went out */
  private async publishBatch(client: PoolClient): Promise<number> {
    const { relayBatchRowsMax, relayBatchBytesMax } = this.settings;
    const rows = await pendingRows(client, relayBatchRowsMax, relayBatchBytesMax);
    if (rows.length === 0) return 0;
    crashPoint('relay.after-select');
    if (!this.topicsKnown) {
      await this.cluster.ensureTopics();
      this.topicsKnown = true;
    }
    const sent = this.cluster.send(batchOf(rows));
    crashPoint('relay.after-send-before-ack');
    await sent;
    crashPoint('relay.after-ack-before-mark');
    await markPublished(
      client,
      rows.map(({ position }) => position),
    );
    crashPoint('relay.after-mark');
    return rows.length;
  }
}

const batchOf = (rows: readonly PendingRow[]) =>
  [...groupBy(rows, ({ topic }) => topic)].map(([topic, own]) => ({
    topic,
    messages: own.map(({ key, headers, envelope, raw }) => ({ key, headers, value: envelope ?? raw })),
  }));
