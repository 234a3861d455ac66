import { Injectable } from '@nestjs/common';
import type { UpdatePaymentRequest } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Idempotency, requireVersion, type StoredAnswer } from '@payflow/service';

import type { UpdatePayment as UpdateCommand } from '../domain/commands.js';
import { update } from '../domain/update.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { Commit } from './commit.js';
import { lockOwnPayment } from './load-payment.js';
import { paymentAnswer } from './payment-view.js';
import { problemOfRefusal } from './refusal-problems.js';

const LEASE_MS = 5_000;

/** PATCH /payments/{id}: change an intent before it is authorized. */
@Injectable()
export class UpdatePayment {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly commit: Commit,
  ) {}

  async run(paymentId: string, request: CommandRequest<UpdatePaymentRequest>): Promise<StoredAnswer> {
    const identity = identityOf(this.idempotency, request);
    const options = { resourceId: paymentId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const before = await lockOwnPayment(tx, paymentId, request.principal);
      requireVersion(request.meta.ifMatch, before.version);
      const decision = update(before, { at: new Date(), changes: changesOf(request.body) });
      if (!decision.ok) throw problemOfRefusal(decision.refusal);
      const { payment } = await this.commit.write(tx, { before, events: decision.events, cause: causeOf(request) });
      return paymentAnswer(payment, 200);
    });
  }
}

const changesOf = ({ amount, ...rest }: UpdatePaymentRequest): UpdateCommand['changes'] => ({
  ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as UpdateCommand['changes']),
  ...(amount === undefined ? {} : { amountMinor: BigInt(amount) }),
});
