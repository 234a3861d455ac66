import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { AcquirerAuthorizationRequest } from '@payflow/contracts';
import { Database } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import { authorizationOutcome } from '../domain/outcome.js';
import { findOperation, insertAuthorization, insertOperation, operationOf, type OperationRow } from '../store/book.js';
import { type OperationAnswer, replayOf } from './answer-of.js';
import { requestHash } from './request-hash.js';

/** POST /acquirers/{acquirer}/authorizations */
@Injectable()
export class AuthorizeCard {
  constructor(private readonly database: Database) {}

  async run(acquirer: AcquirerName, request: AcquirerAuthorizationRequest): Promise<OperationAnswer> {
    const operation = operationFor(acquirer, request, new Date());
    return await this.database.transaction(async (tx) => {
      if (!(await insertOperation(tx, operation))) {
        const first = await findOperation(tx, acquirer, request.reference);
        if (first === undefined) throw new Error('invariant: the book lost a reference');
        return replayOf(first, operation.requestHash);
      }
      if (operation.authorizationId !== null) {
        await insertAuthorization(tx, { ...operation, authorizationId: operation.authorizationId });
      }
      return { operation: operationOf(operation), replayed: false };
    });
  }
}

const operationFor = (
  acquirer: AcquirerName,
  { card, reference, amount, currency, merchantId, paymentId, statementDescriptor }: AcquirerAuthorizationRequest,
  at: Date,
): Omit<OperationRow, 'position'> => {
  const outcome = authorizationOutcome(card, BigInt(amount), at);
  const cardBin = card.number.slice(0, 6);
  const cardLast4 = card.number.slice(-4);
  // Not the expiry: a renewed card's may be corrected between a request and its repetition.
  const comparable = { amount, currency, merchantId, paymentId, cardBin, cardLast4 };
  return {
    acquirer,
    reference,
    operation: 'authorize',
    outcome: outcome.kind,
    authorizationId: outcome.kind === 'approved' ? `${acquirer}_${randomUUID()}` : null,
    paymentId,
    merchantId,
    amountMinor: BigInt(amount),
    currency,
    cardBin,
    cardLast4,
    requestHash: requestHash({ ...comparable, statementDescriptor: statementDescriptor ?? null }),
    declineCode: outcome.kind === 'declined' ? outcome.declineCode : null,
    adviceCode: outcome.kind === 'declined' ? outcome.adviceCode : null,
    message: outcome.message,
    createdAt: at,
  };
};
