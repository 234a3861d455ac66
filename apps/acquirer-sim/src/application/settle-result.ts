import { Injectable } from '@nestjs/common';
import { type Currency, currencyOf, unreachable } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import { type Change, rule, takeBackRefund } from '../domain/authorization.js';
import type { Verdict } from '../domain/outcome.js';
import { insertAuthorization, lockAuthorization, updateAuthorization } from '../store/authorizations.js';
import { type BookRow, findOperation, insertResult } from '../store/book.js';
import { deleteDueResult } from '../store/due-results.js';
import { planDispute } from './plan-dispute.js';
import { WebhookOutbox } from './webhook-outbox.js';

/** Writes a result that comes after the answer: its effect, the new line of the history, the webhook. */
@Injectable()
export class SettleResult {
  constructor(
    private readonly outbox: WebhookOutbox,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  /** The caller holds the reference's lock, and has seen that this operation may still change. */
  async run(tx: Tx, row: BookRow, verdict: Verdict, at: Date): Promise<void> {
    await deleteDueResult(tx, row.acquirer, row.reference);
    const { outcome, amountMinor } = await this.effectOf(tx, row, verdict, at);
    await insertResult(tx, row, outcome, amountMinor, at);
    const now = await findOperation(tx, row.acquirer, row.reference);
    if (now === undefined) throw new Error('invariant: the book lost a reference');
    await this.outbox.add(tx, now, at);
  }

  /** A change that was pending is ruled on when it happens: what it is about may have changed meanwhile. */
  private async effectOf(
    tx: Tx,
    row: BookRow,
    verdict: Verdict,
    at: Date,
  ): Promise<{ readonly outcome: Verdict; readonly amountMinor: bigint }> {
    const { acquirer, authorizationId, amountMinor } = row;
    if (authorizationId === null) throw new Error(`invariant: ${row.reference} is open and concerns no authorization`);
    if (row.operation === 'authorize') {
      if (verdict.kind === 'approved') await insertAuthorization(tx, { ...row, authorizationId });
      return { outcome: verdict, amountMinor };
    }
    if (verdict.kind === 'declined' && row.outcome !== 'approved') return { outcome: verdict, amountMinor };
    const authorization = await lockAuthorization(tx, acquirer, authorizationId);
    if (authorization === undefined) throw new Error('invariant: the book lost an authorization');
    if (verdict.kind === 'declined') {
      await updateAuthorization(tx, acquirer, authorizationId, takeBackRefund(authorization, amountMinor));
      return { outcome: verdict, amountMinor };
    }
    const ruling = rule(authorization, changeOf(row));
    if (ruling.outcome.kind === 'approved') {
      await updateAuthorization(tx, acquirer, authorizationId, ruling.next);
      const dueAt = new Date(at.getTime() + this.config.PENDING_MS);
      if (row.operation === 'capture') await planDispute(tx, acquirer, authorization, row, dueAt);
    }
    return ruling;
  }
}

const changeOf = ({ operation, askedMinor, currency, final }: BookRow): Change => {
  switch (operation) {
    case 'capture':
      return { operation, amountMinor: askedMinor, currency: knownCurrency(currency), final };
    case 'refund':
      return { operation, amountMinor: askedMinor, currency: knownCurrency(currency) };
    case 'void':
      return { operation };
    case 'authorize':
      throw new Error('invariant: an authorization changes no authorization');
    default:
      return unreachable(operation);
  }
};

export const knownCurrency = (code: string): Currency => {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error('invariant: the contract checks the currency');
  return currency;
};
