import { Injectable } from '@nestjs/common';
import type { CreatePaymentRequest } from '@payflow/contracts';
import { newId, type PaymentId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Idempotency, type StoredAnswer } from '@payflow/service';

import { create } from '../domain/create.js';
import { initialPayment } from '../domain/payment.js';
import { rememberPayerEmail } from '../store/payer-emails.js';
import { hashOfClientSecret, newClientSecret } from './client-secret.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { Commit } from './commit.js';
import { JudgePayments } from './judge-payments.js';
import { NewPayments } from './new-payments.js';
import { merchantFor } from './ownership.js';
import { paymentAnswer } from './payment-view.js';
import { problemOfRefusal } from './refusal-problems.js';

const LEASE_MS = 5_000;

/** POST /payments: an intent. No acquirer is called, no money moves. */
@Injectable()
export class CreatePayment {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly commit: Commit,
    private readonly newPayments: NewPayments,
    private readonly judging: JudgePayments,
  ) {}

  async run(request: CommandRequest<CreatePaymentRequest>): Promise<StoredAnswer> {
    const merchantId = merchantFor(request.principal, request.body.merchantId);
    const paymentId = newId('pay');
    const identity = identityOf(this.idempotency, request);
    const options = { resourceId: paymentId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx, resourceId) => {
      const clientSecret = newClientSecret(resourceId);
      const decision = create({
        ...this.newPayments.factsOf(resourceId as PaymentId, merchantId, request.body),
        clientSecretHash: hashOfClientSecret(clientSecret),
      });
      if (!decision.ok) throw problemOfRefusal(decision.refusal);
      const { events } = decision;
      // Where nobody judges, nobody needs it.
      const email = this.judging.judges ? request.body.email : undefined;
      const { payment } = await this.commit.write(tx, {
        before: initialPayment,
        events,
        cause: causeOf(request),
        conclude: async ({ paymentId: id }) => {
          if (email !== undefined) await rememberPayerEmail(tx, id, email);
        },
      });
      const answer = paymentAnswer(payment, 201);
      return { ...answer, body: { ...(answer.body as object), clientSecret } };
    });
  }
}
