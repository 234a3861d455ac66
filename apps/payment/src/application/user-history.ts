import { Injectable } from '@nestjs/common';
import {
  isStaff,
  type ListPaymentsQuery,
  type PaymentResponse,
  type Principal,
  type TransferIntentView,
} from '@payflow/contracts';

import { TransferIntents } from '../clients/transfer-intents.js';
import type { Metadata } from '../domain/payment.js';
import type { ListPosition } from '../store/conditions.js';
import { cursorOf, positionOf } from './list-cursor.js';
import { ListPayments } from './list-payments.js';

type HistoryItem = PaymentResponse | TransferIntentView;
export type HistoryPage = { data: HistoryItem[]; nextCursor: string | null };

/** What a user paid merchants, and what he paid to other users or got from them: two services' lists, merged by time. */
@Injectable()
export class UserHistory {
  constructor(
    private readonly payments: ListPayments,
    private readonly transfers: TransferIntents,
  ) {}

  async run(
    principal: Principal,
    query: ListPaymentsQuery & { readonly userId: string },
    metadata: Metadata | undefined,
  ): Promise<HistoryPage> {
    const page = await this.payments.run(principal, query, metadata);
    const { limit } = query;
    const intents = seesTransfers(principal, query, metadata) ? await this.transfersOf(query) : [];
    const merged = [...page.data, ...intents].sort(newestFirst);
    const data = merged.slice(0, limit);
    const last = data.at(-1);
    const hasMore = merged.length > limit || page.nextCursor !== null;
    return { data, nextCursor: hasMore && last !== undefined ? cursorOf(placeOf(last)) : null };
  }

  private async transfersOf({ userId, limit, cursor, from, to }: ListPaymentsQuery & { readonly userId: string }) {
    const before = positionOf(cursor);
    return await this.transfers.ofUser(userId, {
      // One more than is shown tells whether there is a next page.
      limit: limit + 1,
      ...(before === undefined ? {} : { beforeTime: before.createdAt.toISOString(), beforeId: before.id }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
  }
}

/** A merchant sees what concerns him; what is asked for by something that only payments have is a payment. */
const seesTransfers = (
  principal: Principal,
  { userId, status, reference, merchantId }: ListPaymentsQuery & { readonly userId: string },
  metadata: Metadata | undefined,
): boolean =>
  (isStaff(principal) || principal.id === userId) &&
  [status, reference, merchantId, metadata].every((filter) => filter === undefined);

const placeOf = (item: HistoryItem): ListPosition =>
  'paymentId' in item
    ? { createdAt: new Date(item.createdAt), id: item.paymentId }
    : { createdAt: new Date(item.timestamp), id: item.id };

const newestFirst = (a: HistoryItem, b: HistoryItem): number => {
  const [first, second] = [placeOf(a), placeOf(b)];
  const later = second.createdAt.getTime() - first.createdAt.getTime();
  if (later !== 0) return later;
  return first.id < second.id ? 1 : -1;
};
