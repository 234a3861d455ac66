import { Injectable } from '@nestjs/common';
import { Outbox } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import type { HoldRow } from '../store/holds.js';
import { endOrders } from '../store/wallet-orders.js';
import { findAskedPay } from '../store/wallet-pays.js';
import { failPay } from './end-pay.js';

/** What a hold's step means for the order that asked for it, and for the payment that its owner asked for. */
@Injectable()
export class OrderOutcomes {
  constructor(private readonly outbox: Outbox) {}

  /** In the commit that records the step, behind the hold's lock, at its end. */
  async stepEnded(tx: Tx, hold: HoldRow, refusal: string | null): Promise<void> {
    if (hold.paymentId === null) return;
    const asked = await findAskedPay(tx, hold.id);
    await endOrders(tx, { holdId: hold.id }, refusal);
    const nothingHeld = refusal !== null || hold.step === 'void' || hold.step === 'expire';
    if (asked !== undefined && nothingHeld) await failPay(tx, this.outbox, asked.id, refusal ?? 'payment_canceled');
  }
}
