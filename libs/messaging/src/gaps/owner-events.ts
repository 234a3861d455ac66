import { type AggregateKind } from '@payflow/contracts';
import { request } from 'undici';
import { z } from 'zod';

import type { RawMessage } from '../message.js';
import type { UnsentEvents } from './events-sql.js';

/** What `GET /internal/events/{aggregateId}` answers. */
export const publishedEventsSchema = z.object({
  data: z.array(
    z.object({
      topic: z.string(),
      key: z.string().nullable(),
      headers: z.record(z.string(), z.string()),
      envelope: z.string().meta({ description: 'The exact text of the message.' }),
    }),
  ),
});

/** What `GET /internal/unsent-events` answers. */
const unsentEventsSchema = z.object({ data: z.array(z.object({ aggregateId: z.string(), sequence: z.int() })) });

/** More than so many are no matter of a moment: whoever waits for them gives up. */
export const UNSENT_AGGREGATES_MAX = 1_000;

/** Where an event comes from that Kafka did not bring. */
const NO_PARTITION = -1;

/** The owner did not tell its events. */
export class OwnerUnavailableError extends Error {
  override readonly name = 'OwnerUnavailableError';
}

/** Asks the owners of aggregates for their events. */
export class OwnerEvents {
  constructor(
    private readonly ownerUrls: Partial<Record<AggregateKind, string>>,
    private readonly serviceToken: () => Promise<string>,
  ) {}

  /** @throws OwnerUnavailableError */
  async after(
    kind: AggregateKind,
    aggregateId: string,
    sequence: number,
    deadlineMs: number,
  ): Promise<readonly RawMessage[]> {
    const path = `/internal/events/${encodeURIComponent(aggregateId)}?after=${sequence}`;
    const { data } = await this.ask(kind, path, publishedEventsSchema, deadlineMs);
    return data.map((event) => ({
      topic: event.topic,
      partition: NO_PARTITION,
      offset: 0n,
      key: event.key === null ? null : Buffer.from(event.key),
      value: Buffer.from(event.envelope),
      headers: event.headers,
    }));
  }

  /**
   * Whose events under a key are not in Kafka yet; never more than UNSENT_AGGREGATES_MAX.
   *
   * @throws OwnerUnavailableError
   */
  async unsent(kind: AggregateKind, key: string, deadlineMs: number): Promise<readonly UnsentEvents[]> {
    const path = `/internal/unsent-events?key=${encodeURIComponent(key)}`;
    return (await this.ask(kind, path, unsentEventsSchema, deadlineMs)).data;
  }

  private async ask<Schema extends z.ZodType>(
    kind: AggregateKind,
    path: string,
    answer: Schema,
    deadlineMs: number,
  ): Promise<z.output<Schema>> {
    const ownerUrl = this.ownerUrls[kind];
    if (ownerUrl === undefined) throw new OwnerUnavailableError(`no address is set for the owner of ${kind} events`);
    const signal = AbortSignal.timeout(Math.max(1, Math.round(deadlineMs)));
    try {
      const response = await request(ownerUrl + path, {
        signal,
        headers: { authorization: `Bearer ${await this.serviceToken()}`, accept: 'application/json' },
      });
      const body = await response.body.text();
      if (response.statusCode !== 200)
        throw new OwnerUnavailableError(`the owner of ${kind} events answered ${response.statusCode}`);
      return answer.parse(JSON.parse(body));
    } catch (error) {
      if (error instanceof OwnerUnavailableError) throw error;
      throw new OwnerUnavailableError(`the owner of ${kind} events cannot be asked`, { cause: error });
    }
  }
}
