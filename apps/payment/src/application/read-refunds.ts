import { Injectable } from '@nestjs/common';
import type { listRefundsQuerySchema, Principal, RefundResponse } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';
import type { z } from 'zod';

import { findRefund, listRefunds } from '../store/refunds.js';
import { pageOf, positionOf } from './list-cursor.js';
import { sees, visibilityOf } from './ownership.js';
import { refundView } from './payment-view.js';

/** GET /refunds and GET /refunds/{id}. */
@Injectable()
export class ReadRefunds {
  constructor(private readonly database: Database) {}

  /** @throws Problem refund_not_found */
  async one(refundId: string, principal: Principal): Promise<RefundResponse> {
    const row = await findRefund(this.database, refundId);
    if (!row || !sees(principal, { merchantId: row.merchant_id, userId: row.user_id }))
      throw new Problem('refund_not_found');
    return refundView(row);
  }

  async page(
    principal: Principal,
    query: z.infer<typeof listRefundsQuerySchema>,
  ): Promise<{ data: RefundResponse[]; nextCursor: string | null }> {
    const filter = { visible: visibilityOf(principal), paymentId: query.paymentId, status: query.status };
    const rows = await listRefunds(this.database, filter, positionOf(query.cursor), query.limit + 1);
    return pageOf(rows, query.limit, refundView);
  }
}
