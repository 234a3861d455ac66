import { Injectable } from '@nestjs/common';
import type { DisputeDetailResponse, DisputeResponse, ListDisputesQuery, Principal } from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { type DisputeRow, findDispute, findEvidence, listDisputes } from '../store/disputes.js';
import { disputeChangeView, disputeView } from './dispute-view.js';
import { LedgerLines } from './ledger-lines.js';
import { pageOf, positionOf } from './list-cursor.js';
import { visibilityOf } from './ownership.js';

export type DisputePage = { data: DisputeResponse[]; nextCursor: string | null };

/** GET /disputes and GET /disputes/{id}. A dispute is between the merchant and the payer's bank: the payer sees none here. */
@Injectable()
export class ReadDisputes {
  constructor(
    private readonly database: Database,
    private readonly lines: LedgerLines,
    private readonly outbox: Outbox,
  ) {}

  /** @throws Problem dispute_not_found */
  async one(disputeId: string, principal: Principal): Promise<DisputeDetailResponse> {
    const row = visible(await findDispute(this.database, disputeId), principal);
    const [evidence, sequence] = await Promise.all([
      findEvidence(this.database, disputeId),
      this.outbox.lastSequence(this.database, row.payment_id),
    ]);
    const lines = await this.lines.upTo(row.payment_id, sequence);
    const ledgerEntries = lines?.entries.filter(({ type }) => type.startsWith('CHARGEBACK')) ?? null;
    return { ...disputeChangeView(row, evidence), ledgerEntries };
  }

  async page(principal: Principal, { cursor, limit, paymentId, status }: ListDisputesQuery): Promise<DisputePage> {
    const visibility = visibilityOf(principal);
    if (visibility.of === 'payer') return { data: [], nextCursor: null };
    const filter = { visible: visibility, paymentId, status };
    const rows = await listDisputes(this.database, filter, positionOf(cursor), limit + 1);
    return pageOf(rows, limit, disputeView);
  }
}

/** @throws Problem dispute_not_found, also when it is not the caller's */
export const visible = (row: DisputeRow | undefined, principal: Principal): DisputeRow => {
  const visibility = visibilityOf(principal);
  const sees =
    visibility.of === 'everyone' || (visibility.of === 'merchant' && visibility.merchantId === row?.merchant_id);
  if (!row || !sees) throw new Problem('dispute_not_found');
  return row;
};
