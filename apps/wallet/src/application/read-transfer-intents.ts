import { Injectable } from '@nestjs/common';
import { isStaff, type ListTransferIntentsQuery, type Principal, type TransferIntentView } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { findTransferIntent, listTransferIntents, type TransferIntentRow } from '../store/transfer-intents.js';
import { transferIntentView } from './transfer-intent-view.js';

@Injectable()
export class ReadTransferIntents {
  constructor(private readonly database: Database) {}

  /** For both sides and for staff. @throws Problem payment_not_found */
  async one(id: string, principal: Principal): Promise<TransferIntentRow> {
    const row = await findTransferIntent(this.database, id);
    const sees = row && (isStaff(principal) || [row.fromUser, row.toUser].includes(principal.id));
    if (row === undefined || sees !== true) throw new Problem('payment_not_found');
    return row;
  }

  async ofUser(userId: string, query: ListTransferIntentsQuery): Promise<TransferIntentView[]> {
    const { beforeTime, beforeId, from, to, limit } = query;
    const rows = await listTransferIntents(this.database, userId, {
      before: beforeTime === undefined ? undefined : { createdAt: new Date(beforeTime), id: beforeId ?? '' },
      from: from === undefined ? undefined : new Date(from),
      to: to === undefined ? undefined : new Date(to),
      limit,
    });
    return rows.map(transferIntentView);
  }
}
