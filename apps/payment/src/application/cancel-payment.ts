import { Injectable } from '@nestjs/common';
import type { CancelPaymentRequest } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { type Answer, Idempotency, Problem, requireVersion, type StoredAnswer } from '@payflow/service';

import { cancel } from '../domain/cancel.js';
import { operationOf, type Payment } from '../domain/payment.js';
import { AcquirerCommand } from './acquirer-command.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { declinedProblem } from './declined-problem.js';
import { locateOperation, lockOwnPayment } from './load-payment.js';
import { paymentAnswer } from './payment-view.js';
import { problemOfRefusal } from './refusal-problems.js';

/** POST /payments/{id}/cancel: give back what is not captured. */
@Injectable()
export class CancelPayment {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly command: AcquirerCommand,
  ) {}

  async run(paymentId: string, request: CommandRequest<CancelPaymentRequest>): Promise<StoredAnswer> {
    const { body, principal, meta } = request;
    const voidId = newId('vod');
    return await this.command.run({
      name: 'cancel',
      identity: identityOf(this.idempotency, request),
      cause: causeOf(request),
      resourceId: voidId,
      decide: async (tx) => {
        const before = await lockOwnPayment(tx, paymentId, principal);
        requireVersion(meta.ifMatch, before.version);
        const decision = cancel(before, {
          at: new Date(),
          voidId,
          reason: body.reason ?? null,
          metadata: body.metadata ?? {},
        });
        if (!decision.ok) throw problemOfRefusal(decision.refusal);
        return { before, events: decision.events, firstOperationId: voidId };
      },
      locate: async (tx, resourceId) => await locateOperation(tx, paymentId, resourceId),
      answer: answerOf,
    });
  }
}

const answerOf = (payment: Payment, voidId: string): Answer | Problem => {
  const operation = operationOf(payment, voidId);
  return operation?.state === 'declined'
    ? declinedProblem('cancel_declined', operation.failure)
    : paymentAnswer(payment, 200);
};
