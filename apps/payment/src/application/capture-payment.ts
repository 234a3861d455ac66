import { Injectable } from '@nestjs/common';
import type { CapturePaymentRequest } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { type Answer, Idempotency, Problem, requireVersion, type StoredAnswer } from '@payflow/service';

import { capture } from '../domain/capture.js';
import { operationOf, type Payment } from '../domain/payment.js';
import { AcquirerCommand } from './acquirer-command.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { declinedProblem } from './declined-problem.js';
import { locateOperation, lockOwnPayment } from './load-payment.js';
import { paymentAnswer } from './payment-view.js';
import { problemOfRefusal } from './refusal-problems.js';

/** POST /payments/{id}/capture: all or part of what is held. */
@Injectable()
export class CapturePayment {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly command: AcquirerCommand,
  ) {}

  async run(paymentId: string, request: CommandRequest<CapturePaymentRequest>): Promise<StoredAnswer> {
    const { body, principal, meta } = request;
    const captureId = newId('cap');
    return await this.command.run({
      name: 'capture',
      identity: identityOf(this.idempotency, request),
      cause: causeOf(request),
      resourceId: captureId,
      decide: async (tx) => {
        const before = await lockOwnPayment(tx, paymentId, principal);
        requireVersion(meta.ifMatch, before.version);
        const decision = capture(before, {
          at: new Date(),
          captureId,
          amountMinor: body.amount === undefined ? null : BigInt(body.amount),
          final: body.final,
          metadata: body.metadata ?? {},
        });
        if (!decision.ok) throw problemOfRefusal(decision.refusal);
        return { before, events: decision.events, firstOperationId: captureId };
      },
      locate: async (tx, resourceId) => await locateOperation(tx, paymentId, resourceId),
      answer: answerOf,
    });
  }
}

const answerOf = (payment: Payment, captureId: string): Answer | Problem => {
  const operation = operationOf(payment, captureId);
  return operation?.state === 'declined'
    ? declinedProblem('capture_declined', operation.failure)
    : paymentAnswer(payment, 200);
};
