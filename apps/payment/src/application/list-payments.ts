import { Injectable } from '@nestjs/common';
import type { ListPaymentsQuery, PaymentResponse, Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';

import type { Metadata } from '../domain/payment.js';
import { listPayments, type PaymentFilter } from '../store/payments.js';
import { pageOf, positionOf } from './list-cursor.js';
import { visibilityOf } from './ownership.js';
import { paymentView } from './payment-view.js';

export type PaymentPage = { data: PaymentResponse[]; nextCursor: string | null };

/** GET /payments and GET /users/{userId}/payments: newest first, of whom the caller may see. */
@Injectable()
export class ListPayments {
  constructor(private readonly database: Database) {}

  async run(principal: Principal, query: ListPaymentsQuery, metadata: Metadata | undefined): Promise<PaymentPage> {
    const filter: PaymentFilter = {
      visible: visibilityOf(principal),
      merchantId: query.merchantId,
      userId: query.userId,
      status: query.status,
      reference: query.reference,
      metadata,
      from: query.from === undefined ? undefined : new Date(query.from),
      to: query.to === undefined ? undefined : new Date(query.to),
    };
    const rows = await listPayments(this.database, filter, positionOf(query.cursor), query.limit + 1);
    return pageOf(rows, query.limit, paymentView);
  }
}
