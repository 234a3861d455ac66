import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Access } from '@payflow/service';
import { z } from 'zod';

import { republish } from '../outbox/republish.js';
import { Relay } from '../outbox/relay.js';
import { eventsAfter, type PublishedEvent, type UnsentEvents, unsentUnder } from './events-sql.js';
import { UNSENT_AGGREGATES_MAX } from './owner-events.js';

const EVENTS_MAX = 500;
const querySchema = z.object({ after: z.coerce.number().int().min(0).default(0) });
const unsentQuerySchema = z.strictObject({ key: z.string().min(1).max(200) });

/** What a service tells others of its own aggregates' events, straight from its outbox. */
@Controller('/internal')
export class EventsController {
  constructor(
    private readonly database: Database,
    private readonly relay: Relay,
  ) {}

  @Get('/events/:aggregateId')
  @Access('internal')
  async events(
    @Param('aggregateId') aggregateId: string,
    @Query({ schema: querySchema }) { after }: z.infer<typeof querySchema>,
  ): Promise<{ readonly data: readonly PublishedEvent[] }> {
    return { data: await eventsAfter(this.database, aggregateId, after, EVENTS_MAX) };
  }

  /** Whose events under a key are not in Kafka yet. Asked for before Kafka's own ends, the two together miss nothing. */
  @Get('/unsent-events')
  @Access('internal')
  async unsent(
    @Query({ schema: unsentQuerySchema }) { key }: z.infer<typeof unsentQuerySchema>,
  ): Promise<{ readonly data: readonly UnsentEvents[] }> {
    return { data: await unsentUnder(this.database, key, UNSENT_AGGREGATES_MAX) };
  }

  /** Sends everything again that the outbox keeps: for a Kafka whose data was erased. */
  @Post('/outbox/republish')
  @Access('operations:write')
  async republish(): Promise<{ readonly messages: number }> {
    return { messages: await republish(this.database, this.relay) };
  }
}
