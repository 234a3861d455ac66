import { Injectable } from '@nestjs/common';
import { Database, type Sql } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import type { AcquirerName } from '../domain/acquirers.js';
import { EXPIRED, type PayerChoice, verdictOfPayer } from '../domain/opening.js';
import { type BookRow, findOperation, lockReference } from '../store/book.js';
import { type Challenge, findChallenge } from '../store/challenges.js';
import { SettleResult } from './settle-result.js';

/** A challenge with its operation as it stands now. */
export interface ChallengeState {
  readonly challenge: Challenge;
  readonly operation: BookRow;
}

/** The payer on the page of a challenge, or of his bank. */
@Injectable()
export class AnswerChallenge {
  constructor(
    private readonly database: Database,
    private readonly settleResult: SettleResult,
  ) {}

  /** @throws Problem resource_not_found */
  async show(acquirer: AcquirerName, token: string): Promise<ChallengeState> {
    return await stateOf(this.database, acquirer, token);
  }

  /**
   * Decides the operation, once: on a second choice, or one after the time, it stays as it is.
   *
   * @throws Problem resource_not_found
   */
  async choose(acquirer: AcquirerName, token: string, choice: PayerChoice): Promise<ChallengeState> {
    return await this.database.transaction(async (tx) => {
      const { challenge } = await stateOf(tx, acquirer, token);
      await lockReference(tx, acquirer, challenge.reference);
      const before = await stateOf(tx, acquirer, token);
      if (before.operation.outcome !== 'action_required') return before;
      const at = new Date();
      const verdict =
        at >= challenge.expiresAt
          ? EXPIRED
          : verdictOfPayer(choice, challenge.whenCompleted, challenge.kind === 'bank');
      await this.settleResult.run(tx, before.operation, verdict, at);
      return await stateOf(tx, acquirer, token);
    });
  }
}

const stateOf = async (sql: Sql, acquirer: AcquirerName, token: string): Promise<ChallengeState> => {
  const challenge = await findChallenge(sql, acquirer, token);
  if (challenge === undefined) throw new Problem('resource_not_found', { detail: 'Unknown page.' });
  const operation = await findOperation(sql, acquirer, challenge.reference);
  if (operation === undefined) throw new Error('invariant: the book lost a reference');
  return { challenge, operation };
};
