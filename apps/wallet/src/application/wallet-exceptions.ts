import { Injectable } from '@nestjs/common';
import type {
  ListWalletExceptionsQuery,
  Principal,
  ResolveWalletExceptionRequest,
  WalletExceptionView,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import {
  listWalletExceptions,
  resolveWalletException,
  walletExceptionExists,
  type WalletExceptionRow,
} from '../store/wallet-exceptions.js';

export type WalletExceptionPage = { data: WalletExceptionView[]; nextCursor: string | null };

const LEASE_MS = 5_000;

/** GET /wallet-exceptions and POST /wallet-exceptions/{id}/resolve: the work list of those who look after wallets. */
@Injectable()
export class WalletExceptions {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  async page({ cursor, limit, ...filter }: ListWalletExceptionsQuery): Promise<WalletExceptionPage> {
    const rows = await listWalletExceptions(this.database, filter, cursor, limit + 1);
    const page = rows.slice(0, limit);
    return { data: page.map(exceptionView), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  }

  /** @throws Problem wallet_exception_not_found | wallet_exception_resolved, as the answer of the key */
  async resolve(
    exceptionId: string,
    principal: Principal,
    meta: RequestMeta,
    body: ResolveWalletExceptionRequest,
  ): Promise<StoredAnswer> {
    const identity = this.idempotency.identify({ principal, meta, body });
    const options = { resourceId: exceptionId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const resolved = { by: principal.id, resolution: body.resolution };
      const row = await resolveWalletException(tx, exceptionId, resolved);
      if (row !== undefined) return { status: 200, body: exceptionView(row) };
      const known = await walletExceptionExists(tx, exceptionId);
      throw new Problem(known ? 'wallet_exception_resolved' : 'wallet_exception_not_found');
    });
  }
}

const exceptionView = (row: WalletExceptionRow): WalletExceptionView => ({
  exceptionId: row.id,
  transactionId: row.transactionId,
  kind: row.kind,
  detail: row.detail,
  createdAt: row.createdAt.toISOString(),
  resolvedAt: row.resolvedAt?.toISOString() ?? null,
  resolvedBy: row.resolvedBy,
  resolution: row.resolution,
});
