import { Injectable } from '@nestjs/common';
import type {
  ListPaymentExceptionsQuery,
  PaymentExceptionResponse,
  ResolvePaymentExceptionRequest,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Idempotency, Problem, type StoredAnswer } from '@payflow/service';

import { exceptionExists, type ExceptionRow, listExceptions, resolveException } from '../store/payment-exceptions.js';
import { type CommandRequest, identityOf } from './command-request.js';
import { pageOf, positionOf } from './list-cursor.js';

export type ExceptionPage = { data: PaymentExceptionResponse[]; nextCursor: string | null };

const LEASE_MS = 5_000;

/** GET /payment-exceptions and POST /payment-exceptions/{id}/resolve: the work list of those who look after payments. */
@Injectable()
export class PaymentExceptions {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  async page({ cursor, limit, ...filter }: ListPaymentExceptionsQuery): Promise<ExceptionPage> {
    const rows = await listExceptions(this.database, filter, positionOf(cursor), limit + 1);
    return pageOf(rows, limit, exceptionView);
  }

  /** @throws Problem payment_exception_not_found | payment_exception_resolved, as the answer of the key */
  async resolve(exceptionId: string, request: CommandRequest<ResolvePaymentExceptionRequest>): Promise<StoredAnswer> {
    const { body, principal } = request;
    const identity = identityOf(this.idempotency, request);
    const options = { resourceId: exceptionId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const row = await resolveException(tx, exceptionId, { by: principal.id, resolution: body.resolution });
      if (row) return { status: 200, body: exceptionView(row) };
      const known = await exceptionExists(tx, exceptionId);
      throw new Problem(known ? 'payment_exception_resolved' : 'payment_exception_not_found');
    });
  }
}

const exceptionView = (row: ExceptionRow): PaymentExceptionResponse => ({
  exceptionId: row.id,
  paymentId: row.payment_id,
  merchantId: row.merchant_id,
  operationId: row.operation_id,
  kind: row.kind,
  detail: row.detail,
  createdAt: row.created_at.toISOString(),
  resolvedAt: row.resolved_at?.toISOString() ?? null,
  resolvedBy: row.resolved_by,
  resolution: row.resolution,
});
