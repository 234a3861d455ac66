import { Injectable } from '@nestjs/common';
import type { DisputeStatus } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import { type DisputeRow, findDispute, insertChargeback, insertDisputeState } from '../store/disputes.js';
import { deleteDueDisputeState } from '../store/due-disputes.js';
import { WebhookOutbox } from './webhook-outbox.js';

/** Writes how a dispute stands from now on, the money that moves with it, and the webhook. */
@Injectable()
export class EnterDisputeState {
  constructor(private readonly outbox: WebhookOutbox) {}

  /** The caller holds the lock of the disputes, and has seen that it may become this. */
  async run(tx: Tx, acquirer: AcquirerName, disputeId: string, status: DisputeStatus, at: Date): Promise<DisputeRow> {
    const named = { acquirer, disputeId };
    await deleteDueDisputeState(tx, acquirer, disputeId);
    await insertDisputeState(tx, named, status, at);
    // The money is taken when the dispute begins, and comes back when it is won.
    if (status === 'NEEDS_RESPONSE') await insertChargeback(tx, named, 'CHARGEBACK', at);
    if (status === 'WON') await insertChargeback(tx, named, 'CHARGEBACK_REVERSAL', at);
    const row = await findDispute(tx, acquirer, disputeId);
    if (row === undefined) throw new Error('invariant: the book lost a dispute');
    await this.outbox.addDispute(tx, row, at);
    return row;
  }
}
