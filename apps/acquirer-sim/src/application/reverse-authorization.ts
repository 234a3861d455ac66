import { Injectable } from '@nestjs/common';
import type { AcquirerReversalRequest } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import type { AcquirerName } from '../domain/acquirers.js';
import { reverse } from '../domain/authorization.js';
import { open } from '../domain/opening.js';
import { approve, decline, type Verdict } from '../domain/outcome.js';
import { courseOfReversal, webhookHabitOf } from '../domain/treatment.js';
import { lockAuthorization, updateAuthorization } from '../store/authorizations.js';
import { type BookRow, findOperation, insertOperation, lockReference, type NewOperation } from '../store/book.js';
import { deleteDueResult } from '../store/due-results.js';
import { BeginOperation } from './begin-operation.js';
import type { TakenMode } from './modes.js';
import { type OperationAnswer, OperationView } from './operation-view.js';
import { requestHash } from './request-hash.js';
import { SettleResult } from './settle-result.js';

const REVERSED = decline('reversed', 'do_not_try_again', 'The authorization was reversed.');

/**
 * POST /acquirers/{acquirer}/reversals: afterwards nothing is held under the original reference and nothing will be. One
 * that never came leaves a tombstone: the row that the late request would have been. Which of the two is first, the book's
 * primary key decides.
 */
@Injectable()
export class ReverseAuthorization {
  constructor(
    private readonly database: Database,
    private readonly begin: BeginOperation,
    private readonly settleResult: SettleResult,
    private readonly view: OperationView,
  ) {}

  /** @throws Problem reference_taken */
  async run(acquirer: AcquirerName, request: AcquirerReversalRequest, mode: TakenMode): Promise<OperationAnswer> {
    const { amount, currency, merchantId, paymentId, originalReference } = request;
    const hash = requestHash({ amount, currency, merchantId, paymentId, originalReference });
    return await this.database.transaction(async (tx) => {
      await lockReference(tx, acquirer, originalReference);
      const first = await findOperation(tx, acquirer, request.reference);
      if (first !== undefined) return this.view.replayOf(first, hash);

      const operation = operationFor(acquirer, request, mode, hash);
      const refused = open(courseOfReversal(mode.mode), approve('Reversed.'), operation.amountMinor);
      const { verdict, authorizationId } =
        refused.outcome.kind === 'declined'
          ? { verdict: refused.outcome, authorizationId: null }
          : await this.reverse(tx, operation, originalReference);
      const opening = { outcome: verdict, amountMinor: operation.amountMinor };
      const written = await this.begin.run(tx, { ...operation, authorizationId }, opening, mode);
      if (written === undefined) throw new Problem('reference_taken', { detail: `Reference ${request.reference}.` });
      return { operation: written, replayed: false };
    });
  }

  private async reverse(
    tx: Tx,
    reversal: NewOperation,
    originalReference: string,
  ): Promise<{ readonly verdict: Verdict; readonly authorizationId: string | null }> {
    const { acquirer } = reversal;
    const original = await this.originalOrTombstone(tx, reversal, originalReference);
    const { authorizationId } = original;
    if (original.operation !== 'authorize') {
      const verdict = decline('not_an_authorization', 'do_not_try_again', 'Only an authorization is reversed.');
      return { verdict, authorizationId };
    }
    switch (original.outcome) {
      case 'approved': {
        const authorization = await lockAuthorization(tx, acquirer, authorizationId ?? '');
        if (authorization === undefined) throw new Error('invariant: the book lost an authorization');
        const { outcome, next } = reverse(authorization);
        await updateAuthorization(tx, acquirer, authorization.authorizationId, next);
        return { verdict: outcome, authorizationId };
      }
      case 'pending':
      case 'action_required':
        await this.settleResult.run(tx, original, REVERSED, reversal.createdAt);
        return { verdict: approve('Reversed before it was decided.'), authorizationId: null };
      case 'declined':
        // A success that would have come late does not come any more.
        await deleteDueResult(tx, acquirer, originalReference);
        return { verdict: approve('Nothing was held.'), authorizationId: null };
    }
  }

  private async originalOrTombstone(tx: Tx, reversal: NewOperation, originalReference: string): Promise<BookRow> {
    const { acquirer } = reversal;
    const known = await findOperation(tx, acquirer, originalReference);
    if (known !== undefined) return known;
    const tombstone: NewOperation = {
      ...reversal,
      reference: originalReference,
      operation: 'authorize',
      webhookHabit: null,
      requestHash: null,
    };
    // If it is not written, the request came at this moment, and was first.
    await insertOperation(tx, tombstone, REVERSED, tombstone.amountMinor);
    const original = await findOperation(tx, acquirer, originalReference);
    if (original === undefined) throw new Error('invariant: the book lost a reference');
    return original;
  }
}

const operationFor = (
  acquirer: AcquirerName,
  { reference, amount, currency, merchantId, paymentId }: AcquirerReversalRequest,
  { mode }: TakenMode,
  hash: Buffer,
): NewOperation => ({
  acquirer,
  reference,
  operation: 'void',
  authorizationId: null,
  paymentId,
  merchantId,
  amountMinor: BigInt(amount),
  currency,
  final: false,
  cardBin: null,
  cardLast4: null,
  cardBehaviour: null,
  webhookHabit: webhookHabitOf(mode),
  requestHash: hash,
  createdAt: new Date(),
});
