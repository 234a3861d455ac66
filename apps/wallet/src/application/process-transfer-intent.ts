import { Injectable } from '@nestjs/common';
import { type Principal, walletTransactionIdSchema } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { type Answer, currentContext, Problem, type RequestMeta } from '@payflow/service';

import { claimTransferIntent, findTransferIntent } from '../store/transfer-intents.js';
import { transferIntentView } from './transfer-intent-view.js';
import { TransferCommitter } from './transfer-committer.js';

/** POST /payments/{id}/process of a payment between users: makes the wallet transfer with the intent's id (ADR 0015). */
@Injectable()
export class ProcessTransferIntent {
  constructor(
    private readonly database: Database,
    private readonly committer: TransferCommitter,
  ) {}

  /**
   * Completed or Failed; Pending while the ledger has not answered.
   *
   * @throws Problem payment_not_found for all but the payer, payment_not_authorizable when it was processed before, and what
   *   refuses a transfer before there is one: the intent then stays as it was
   */
  async run(id: string, principal: Principal, meta: RequestMeta): Promise<Answer> {
    const intent = await findTransferIntent(this.database, id);
    if (intent?.fromUser !== principal.id) throw new Problem('payment_not_found');
    if (!(await claimTransferIntent(this.database, id, meta.idempotencyKey)))
      throw new Problem('payment_not_authorizable', { detail: 'The payment was processed before.' });
    await this.committer.send({
      transactionId: walletTransactionIdSchema.parse(id),
      // Its id is what makes it one transfer, however often it is asked for.
      identity: undefined,
      callerId: principal.id,
      fromWalletId: intent.fromWalletId,
      to: { walletId: intent.toWalletId },
      amount: Number(intent.amountMinor),
      currency: intent.currency,
      note: null,
      counterparty: null,
      context: currentContext(),
    });
    const processed = await findTransferIntent(this.database, id);
    if (processed === undefined) throw new Error(`invariant: ${id} has vanished`);
    const body = transferIntentView(processed);
    return { status: body.status === 'Pending' ? 202 : 200, body };
  }
}
