import { setImmediate as endOfTurn } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';

import { findPaymentMoments, type PaymentMoment } from '../store/payments.js';

/** As many as the gateway lets through at once by default. More in one statement would not make it cheaper for each. */
const PAYMENTS_MAX = 128;

interface Batch {
  readonly ids: Set<string>;
  readonly found: Promise<ReadonlyMap<string, PaymentMoment>>;
}

/**
 * What is known of payments, read by one statement for all who ask in the same turn of the event loop: a round trip costs
 * service and database more than a row does. The statement is sent behind the last of them, so each sees whatever was
 * answered before he asked; nobody waits for a statement that is on its way already.
 */
@Injectable()
export class PaymentMoments {
  private gathering: Batch | undefined;

  constructor(private readonly database: Database) {}

  async of(paymentId: string): Promise<PaymentMoment | undefined> {
    const batch = (this.gathering ??= this.begin());
    batch.ids.add(paymentId);
    if (batch.ids.size === PAYMENTS_MAX) this.gathering = undefined;
    return (await batch.found).get(paymentId);
  }

  private begin(): Batch {
    const ids = new Set<string>();
    return { ids, found: this.readAtEndOfTurn(ids) };
  }

  private async readAtEndOfTurn(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, PaymentMoment>> {
    await endOfTurn();
    // Closed before it is sent: who comes later may know of a change that it does not see.
    if (this.gathering?.ids === ids) this.gathering = undefined;
    return await findPaymentMoments(this.database, [...ids]);
  }
}
