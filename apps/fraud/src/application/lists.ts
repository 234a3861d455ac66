import { Injectable } from '@nestjs/common';
import {
  type AddFraudListEntryRequest,
  type FraudListEntryView,
  type FraudListName,
  kindOfFraudList,
  type ListFraudListEntriesQuery,
  type Principal,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { listValueOf } from '../domain/list-values.js';
import { addListEntry, listEntries, type ListEntryRow, removeListEntry } from '../store/list-entries.js';
import { type Page, pageOf } from './page.js';

const LEASE_MS = 5_000;

/** Who and what is blocked or allowed. A change holds from the next decision on. */
@Injectable()
export class Lists {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  async page(list: FraudListName, query: ListFraudListEntriesQuery): Promise<Page<FraudListEntryView>> {
    const { cursor, limit, value } = query;
    // What the list cannot hold is in no page of it.
    const sought = value === undefined ? undefined : (listValueOf(kindOfFraudList(list), value) ?? value);
    return pageOf(await listEntries(this.database, list, sought, cursor, limit + 1), limit, entryView);
  }

  /** 200 with the entry that is there when the value is in the list already. @throws Problem validation_failed */
  async add(
    list: FraudListName,
    request: { readonly principal: Principal; readonly meta: RequestMeta; readonly body: AddFraudListEntryRequest },
  ): Promise<StoredAnswer> {
    const { body, principal } = request;
    const value = listValueOf(kindOfFraudList(list), body.value);
    if (value === undefined) throw malformed('/value', `is no ${kindOfFraudList(list)}`);
    const now = new Date();
    const expiresAt = body.expiresAt === undefined ? null : new Date(body.expiresAt);
    if (expiresAt !== null && expiresAt <= now) throw malformed('/expiresAt', 'is over already');
    const id = newId('fle');
    const { reason } = body;
    const entry = { id, list, value, reason, expiresAt, createdAt: now, createdBy: principal.id };
    const identity = this.idempotency.identify(request);
    const options = { resourceId: id, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const { row, added } = await addListEntry(tx, entry);
      return { status: added ? 201 : 200, body: entryView(row) };
    });
  }

  /** @throws Problem fraud_list_entry_not_found */
  async remove(
    list: FraudListName,
    entryId: string,
    request: { readonly principal: Principal; readonly meta: RequestMeta },
  ): Promise<StoredAnswer> {
    const identity = this.idempotency.identify({ ...request, body: {} });
    const options = { resourceId: entryId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      if (!(await removeListEntry(tx, list, entryId, request.principal.id)))
        throw new Problem('fraud_list_entry_not_found');
      return { status: 204, body: undefined };
    });
  }
}

const malformed = (pointer: string, message: string): Problem =>
  new Problem('validation_failed', { errors: [{ pointer, code: 'invalid_format', message }] });

const entryView = (row: ListEntryRow): FraudListEntryView => ({
  entryId: row.id,
  list: row.list,
  value: row.value,
  reason: row.reason,
  expiresAt: row.expiresAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  createdBy: row.createdBy,
});
