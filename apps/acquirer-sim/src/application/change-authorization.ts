import { Injectable } from '@nestjs/common';
import { minorToJson } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import type { AcquirerName } from '../domain/acquirers.js';
import { type Change, rule, type Ruling } from '../domain/authorization.js';
import { open } from '../domain/opening.js';
import { courseOf, courseOfCard, webhookHabitOf } from '../domain/treatment.js';
import { type AuthorizationRow, lockAuthorization, updateAuthorization } from '../store/authorizations.js';
import { findOperation, type NewOperation } from '../store/book.js';
import { BeginOperation } from './begin-operation.js';
import type { TakenMode } from './modes.js';
import { type OperationAnswer, OperationView } from './operation-view.js';
import { planDispute } from './plan-dispute.js';
import { requestHash } from './request-hash.js';

/** POST /acquirers/{acquirer}/authorizations/{authorizationId}/captures | voids | refunds */
@Injectable()
export class ChangeAuthorization {
  constructor(
    private readonly database: Database,
    private readonly begin: BeginOperation,
    private readonly view: OperationView,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  /**
   * @throws Problem resource_not_found: no such authorization; nothing is written
   * @throws Problem reference_taken
   */
  async run(
    acquirer: AcquirerName,
    authorizationId: string,
    reference: string,
    change: Change,
    mode: TakenMode,
  ): Promise<OperationAnswer> {
    const hash = hashOf(authorizationId, change);
    return await this.database.transaction(async (tx) => {
      const authorization = await lockAuthorization(tx, acquirer, authorizationId);
      if (authorization === undefined) throw new Problem('resource_not_found', { detail: 'Unknown authorization.' });
      // Under the lock, so that a twin of this request has been written or has not begun.
      const first = await findOperation(tx, acquirer, reference);
      if (first !== undefined) return this.view.replayOf(first, hash);

      const ruling = rule(authorization, change);
      const ofCard = courseOfCard(authorization.cardBehaviour, change.operation, acquirer);
      const opening = open(courseOf(mode.mode, ofCard, change.operation), ruling.outcome, ruling.amountMinor);
      const operation = operationFor(acquirer, authorization, reference, change, ruling, mode, hash);
      const written = await this.begin.run(tx, operation, opening, mode);
      if (written === undefined) {
        // The reference was used at the same moment for another authorization, so this is another request.
        throw new Problem('reference_taken', { detail: `Reference ${reference}.` });
      }
      if (opening.outcome.kind === 'approved') {
        await updateAuthorization(tx, acquirer, authorizationId, ruling.next);
        if (change.operation === 'capture') await this.plan(tx, acquirer, authorization, operation);
      }
      return { operation: written, replayed: false };
    });
  }

  private async plan(
    tx: Tx,
    acquirer: AcquirerName,
    authorization: AuthorizationRow,
    { reference, amountMinor, createdAt }: NewOperation,
  ): Promise<void> {
    const dueAt = new Date(createdAt.getTime() + this.config.PENDING_MS);
    await planDispute(tx, acquirer, authorization, { reference, amountMinor }, dueAt);
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
  { authorizationId, paymentId, merchantId, cardBin, cardLast4 }: AuthorizationRow,
  reference: string,
  change: Change,
  { amountMinor, currency }: Ruling,
  { mode }: TakenMode,
  hash: Buffer,
): NewOperation => ({
  acquirer,
  reference,
  operation: change.operation,
  authorizationId,
  paymentId,
  merchantId,
  amountMinor,
  currency,
  final: change.operation === 'capture' && change.final,
  cardBin,
  cardLast4,
  cardBehaviour: null,
  webhookHabit: webhookHabitOf(mode),
  requestHash: hash,
  createdAt: new Date(),
});
