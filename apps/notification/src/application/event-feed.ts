import { Injectable } from '@nestjs/common';
import type { ListEventsQuery, Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { feedAfter, findEvent, placeBefore } from '../store/events.js';
import { merchantFor, sees } from './webhook-ownership.js';

/** A merchant's events as he can fetch them: the bytes that his webhooks carry, as text that was JSON already. */
@Injectable()
export class EventFeed {
  constructor(private readonly database: Database) {}

  /** @throws Problem merchant_required | insufficient_scope */
  async page(principal: Principal, query: ListEventsQuery): Promise<string> {
    const merchantId = merchantFor(principal, query.merchantId);
    const after = await this.placeOf(merchantId, query);
    const items = await feedAfter(this.database, merchantId, after, query.type, query.limit + 1);
    const shown = items.slice(0, query.limit);
    const nextCursor = String(shown.at(-1)?.position ?? after);
    const hasMore = items.length > query.limit;
    return `{"data":[${shown.map(({ body }) => body).join(',')}],"nextCursor":"${nextCursor}","hasMore":${hasMore}}`;
  }

  /** @throws Problem event_not_found */
  async one(principal: Principal, eventId: string): Promise<string> {
    const event = await findEvent(this.database, eventId);
    if (event === undefined || !sees(principal, event.merchantId)) throw new Problem('event_not_found');
    return event.body;
  }

  private async placeOf(merchantId: string, { cursor, since }: ListEventsQuery): Promise<bigint> {
    if (cursor !== undefined) return BigInt(cursor);
    return since === undefined ? 0n : await placeBefore(this.database, merchantId, since);
  }
}
