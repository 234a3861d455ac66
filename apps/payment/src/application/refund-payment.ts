import { Injectable } from '@nestjs/common';
import type { RefundPaymentRequest } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { type Answer, Idempotency, requireVersion, type StoredAnswer } from '@payflow/service';

import { operationOf, type Payment } from '../domain/payment.js';
import { refund } from '../domain/refund.js';
import { AcquirerCommand } from './acquirer-command.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { locateOperation, lockOwnPayment } from './load-payment.js';
import { refundAnswer } from './payment-view.js';
import { problemOfRefusal } from './refusal-problems.js';

/** POST /payments/{id}/refund and POST /refunds: give back all or part of what was captured. */
@Injectable()
export class RefundPayment {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly command: AcquirerCommand,
  ) {}

  async run(paymentId: string, request: CommandRequest<RefundPaymentRequest>): Promise<StoredAnswer> {
    const { body, principal, meta } = request;
    const refundId = newId('ref');
    return await this.command.run({
      name: 'refund',
      identity: identityOf(this.idempotency, request),
      cause: causeOf(request),
      resourceId: refundId,
      decide: async (tx) => {
        const before = await lockOwnPayment(tx, paymentId, principal);
        requireVersion(meta.ifMatch, before.version);
        const decision = refund(before, {
          at: new Date(),
          refundId,
          amountMinor: body.amount === undefined ? null : BigInt(body.amount),
          reason: body.reason ?? null,
          metadata: body.metadata ?? {},
        });
        if (!decision.ok) throw problemOfRefusal(decision.refusal);
        return { before, events: decision.events, firstOperationId: refundId };
      },
      locate: async (tx, resourceId) => await locateOperation(tx, paymentId, resourceId),
      answer: answerOf,
    });
  }
}

const answerOf = (payment: Payment, refundId: string): Answer => {
  const operation = operationOf(payment, refundId);
  if (operation?.kind !== 'refund') throw new Error(`invariant: ${refundId} is no refund of ${payment.paymentId}`);
  return refundAnswer(payment, operation);
};
