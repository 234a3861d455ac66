import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  eventFeedSchema,
  type ListEventsQuery,
  listEventsQuerySchema,
  merchantEventSchema,
  type Principal,
} from '@payflow/contracts';
import { Access, Answers, Caller } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { EventFeed } from '../application/event-feed.js';
import { eventIdOf } from './webhook-path-ids.js';

const JSON_MEDIA_TYPE = 'application/json; charset=utf-8';

/** What webhooks tell, to be fetched. */
@ApiTags('Webhooks')
@Controller('events')
export class EventFeedController {
  constructor(private readonly feed: EventFeed) {}

  @Get()
  @Access('webhooks:read')
  @ApiOperation({
    summary: 'The feed of your events, oldest first',
    description:
      'Keep `nextCursor` and ask again with it: what came in between follows, and nothing is left out. The items are the bodies that webhooks carry.',
  })
  @Answers(200, eventFeedSchema, 'What is behind the cursor.')
  async listEvents(
    @Caller() principal: Principal,
    @Query({ schema: listEventsQuerySchema }) query: ListEventsQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const text = await this.feed.page(principal, query);
    await reply.header('content-type', JSON_MEDIA_TYPE).send(text);
  }

  @Get(':eventId')
  @Access('webhooks:read')
  @ApiOperation({ summary: 'Read an event' })
  @Answers(200, merchantEventSchema, 'The event, as webhooks carry it.')
  async getEvent(
    @Caller() principal: Principal,
    @Param('eventId') eventId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const text = await this.feed.one(principal, eventIdOf(eventId));
    await reply.header('content-type', JSON_MEDIA_TYPE).send(text);
  }
}
