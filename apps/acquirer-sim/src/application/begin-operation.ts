import { randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { AcquirerOperation } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import { EXPIRED, type Later, type Opening } from '../domain/opening.js';
import { type BookRow, insertOperation, type NewOperation } from '../store/book.js';
import { type Challenge, insertChallenge } from '../store/challenges.js';
import { insertDueResult } from '../store/due-results.js';
import type { TakenMode } from './modes.js';
import { OperationView } from './operation-view.js';
import { SettleDueResults } from './settle-due-results.js';
import { WebhookOutbox } from './webhook-outbox.js';

/** What the page shows to a payer who must confirm. */
export type PageContent = Pick<Challenge, 'kind' | 'merchant' | 'bank' | 'returnUrl'>;

const MS_PER_SECOND = 1_000;
const TOKEN_BYTES = 24;

/** Writes an operation with everything that follows from how it begins: timers, the payer's page, a webhook. */
@Injectable()
export class BeginOperation {
  constructor(
    @InjectConfig() private readonly config: AcquirerSimConfig,
    private readonly view: OperationView,
    private readonly outbox: WebhookOutbox,
    private readonly dueResults: SettleDueResults,
  ) {}

  /** Whether nothing follows: then `insertOperation` alone is all. */
  isPlain(operation: NewOperation, opening: Opening): boolean {
    return opening.later === undefined && !this.outbox.isForAnswers(operation.acquirer, operation.webhookHabit);
  }

  /** @returns the answer; nothing when the reference is in the book */
  async run(
    tx: Tx,
    operation: NewOperation,
    opening: Opening,
    { latencyMs }: TakenMode,
    page?: PageContent,
  ): Promise<AcquirerOperation | undefined> {
    if (!(await insertOperation(tx, operation, opening.outcome, opening.amountMinor))) return undefined;
    const challenge = await this.plan(tx, operation, opening.later, latencyMs, page);
    const row = bookRowOf(operation, opening, challenge);
    if (this.outbox.isForAnswers(operation.acquirer, operation.webhookHabit)) {
      await this.outbox.add(tx, row, operation.createdAt);
    }
    return this.view.operationOf(row);
  }

  private async plan(
    tx: Tx,
    { acquirer, reference, createdAt }: NewOperation,
    later: Later | undefined,
    latencyMs: number | null,
    page: PageContent | undefined,
  ): Promise<Challenge | undefined> {
    if (later === undefined) return undefined;
    tx.onCommit(() => {
      this.dueResults.poke();
    });
    if (later.by === 'time') {
      const delayMs = latencyMs ?? (later.delay === 'late' ? this.config.LATE_SUCCESS_MS : this.config.PENDING_MS);
      const { verdict } = later;
      await insertDueResult(tx, { acquirer, reference, verdict }, new Date(createdAt.getTime() + delayMs));
      return undefined;
    }
    if (page === undefined) throw new Error('invariant: an operation without a payer asks for one');
    const expiresAt = new Date(createdAt.getTime() + this.config.CHALLENGE_LIFETIME_SECONDS * MS_PER_SECOND);
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const challenge = { token, acquirer, reference, ...page, whenCompleted: later.whenCompleted, expiresAt };
    await insertChallenge(tx, challenge);
    await insertDueResult(tx, { acquirer, reference, verdict: EXPIRED }, expiresAt);
    return challenge;
  }
}

/** The row as the book has it now, without asking. */
export const bookRowOf = (
  operation: NewOperation,
  { outcome, amountMinor }: Opening,
  challenge?: Challenge,
): BookRow => ({
  ...operation,
  position: 0n,
  askedMinor: operation.amountMinor,
  sequence: 1,
  outcome: outcome.kind,
  amountMinor,
  declineCode: outcome.kind === 'declined' ? outcome.declineCode : null,
  adviceCode: outcome.kind === 'declined' ? outcome.adviceCode : null,
  technical: outcome.kind === 'declined' && outcome.technical,
  message: outcome.message,
  challengeToken: challenge?.token ?? null,
  challengeExpiresAt: challenge?.expiresAt ?? null,
});
