import { Injectable } from '@nestjs/common';
import { minorToJson } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import type { AcquirerName } from '../domain/acquirers.js';
import { type Change, rule, type Ruling } from '../domain/authorization.js';
import {
  type AuthorizationRow,
  findOperation,
  insertOperation,
  lockAuthorization,
  operationOf,
  type OperationRow,
  updateAuthorization,
} from '../store/book.js';
import { type OperationAnswer, replayOf } from './answer-of.js';
import { requestHash } from './request-hash.js';

/** POST /acquirers/{acquirer}/authorizations/{authorizationId}/captures | voids | refunds */
@Injectable()
export class ChangeAuthorization {
  constructor(private readonly database: Database) {}

  /**
   * @throws Problem resource_not_found: no such authorization; nothing is written
   * @throws Problem reference_taken
   */
  async run(
    acquirer: AcquirerName,
    authorizationId: string,
    reference: string,
    change: Change,
  ): Promise<OperationAnswer> {
    const hash = hashOf(authorizationId, change);
    return await this.database.transaction(async (tx) => {
      const authorization = await lockAuthorization(tx, acquirer, authorizationId);
      if (authorization === undefined) throw new Problem('resource_not_found', { detail: 'Unknown authorization.' });
      // Under the lock, so that a twin of this request has been written or has not begun.
      const first = await findOperation(tx, acquirer, reference);
      if (first !== undefined) return replayOf(first, hash);

      const ruling = rule(authorization, change);
      const operation = operationFor(acquirer, authorization, reference, change.operation, ruling, hash);
      if (!(await insertOperation(tx, operation))) {
        // The reference was used at the same moment for another authorization, so this is another request.
        throw new Problem('reference_taken', { detail: `Reference ${reference}.` });
      }
      if (ruling.outcome.kind === 'approved') await updateAuthorization(tx, acquirer, authorizationId, ruling.next);
      return { operation: operationOf(operation), replayed: false };
    });
  }
}

const hashOf = (authorizationId: string, change: Change): Buffer =>
  requestHash(
    change.operation === 'void'
      ? { authorizationId, operation: 'void' }
      : { authorizationId, ...change, amountMinor: minorToJson(change.amountMinor) },
  );

const operationFor = (
  acquirer: AcquirerName,
  authorization: AuthorizationRow,
  reference: string,
  operation: Change['operation'],
  { outcome, amountMinor, currency }: Ruling,
  hash: Buffer,
): Omit<OperationRow, 'position'> => ({
  acquirer,
  reference,
  operation,
  outcome: outcome.kind,
  authorizationId: authorization.authorizationId,
  paymentId: authorization.paymentId,
  merchantId: authorization.merchantId,
  amountMinor,
  currency,
  cardBin: authorization.cardBin,
  cardLast4: authorization.cardLast4,
  requestHash: hash,
  declineCode: outcome.kind === 'declined' ? outcome.declineCode : null,
  adviceCode: outcome.kind === 'declined' ? outcome.adviceCode : null,
  message: outcome.message,
  createdAt: new Date(),
});
