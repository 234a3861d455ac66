import { Injectable } from '@nestjs/common';
import type {
  paymentAttemptsSchema,
  PaymentDetailResponse,
  PaymentEntriesResponse,
  paymentEventsSchema,
  PaymentResponse,
  Principal,
} from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';
import type { z } from 'zod';

import { fold } from '../domain/evolve.js';
import type { OperationState } from '../domain/payment.js';
import { type ListedAttempt, listAttempts } from '../store/payment-attempts.js';
import { dataOf, historyUntil, loadHistory, type StoredEvent } from '../store/payment-events.js';
import { findPayment, findPaymentMoment, type PaymentRow, paymentRowOf } from '../store/payments.js';
import { LedgerLines } from './ledger-lines.js';
import { sees } from './ownership.js';
import { failureOf, paymentView } from './payment-view.js';

type PaymentHistory = z.infer<typeof paymentEventsSchema>;
type PaymentAttempts = z.infer<typeof paymentAttemptsSchema>;

const OUTCOME_OF = {
  requested: 'pending',
  action_required: 'action_required',
  unanswered: 'unknown',
  approved: 'approved',
  declined: 'declined',
  failed: 'failed',
} as const satisfies Readonly<Record<OperationState, PaymentAttempts['data'][number]['outcome']>>;

/** One payment, as its owner sees it: GET /payments/{id}, /events, /attempts. */
@Injectable()
export class ReadPayment {
  constructor(
    private readonly database: Database,
    private readonly lines: LedgerLines,
    private readonly outbox: Outbox,
  ) {}

  /** With its ledger lines, those of its own last change included. @throws Problem payment_not_found */
  async detail(paymentId: string, principal: Principal, asOf?: string): Promise<PaymentDetailResponse> {
    if (asOf !== undefined) {
      const row = await this.standing(paymentId, principal, asOf);
      const sequence = await this.outbox.lastSequence(this.database, paymentId);
      return withLines(paymentView(row), await this.lines.asOf(paymentId, sequence, asOf));
    }
    // One snapshot: the lines are those up to just the sequence that belongs to the row, so that amounts and lines tell of
    // one moment although they stand in two databases.
    const moment = visible(await findPaymentMoment(this.database, paymentId), principal);
    const { row, plan, sequence } = moment;
    return withLines(paymentView(row, plan), await this.lines.upTo(paymentId, sequence));
  }

  /** @throws Problem payment_not_found */
  async events(paymentId: string, principal: Principal, asOf?: string): Promise<PaymentHistory> {
    await this.current(paymentId, principal);
    const history = await loadHistory(this.database, paymentId);
    const shown = asOf === undefined ? history : historyUntil(history, new Date(asOf));
    return { data: shown.map(eventView) };
  }

  /** @throws Problem payment_not_found */
  async attempts(paymentId: string, principal: Principal): Promise<PaymentAttempts> {
    await this.current(paymentId, principal);
    return { data: (await listAttempts(this.database, paymentId)).map(attemptView) };
  }

  private async current(paymentId: string, principal: Principal): Promise<PaymentRow> {
    const row = await findPayment(this.database, paymentId);
    return visible(row && { row }, principal).row;
  }

  /** The payment as its events up to that moment tell it. Before the first one there was none. */
  private async standing(paymentId: string, principal: Principal, asOf: string): Promise<PaymentRow> {
    await this.current(paymentId, principal);
    const history = historyUntil(await loadHistory(this.database, paymentId), new Date(asOf));
    if (history.length === 0)
      throw new Problem('payment_not_found', { detail: `There was no such payment at ${asOf}.` });
    return paymentRowOf(fold(history.map(({ event }) => event)));
  }
}

/** @throws Problem payment_not_found, also when it is not the caller's */
const visible = <Read extends { readonly row: PaymentRow }>(read: Read | undefined, principal: Principal): Read => {
  if (!read || !sees(principal, { merchantId: read.row.merchant_id, userId: read.row.user_id }))
    throw new Problem('payment_not_found');
  return read;
};

const withLines = (
  payment: PaymentResponse,
  lines: Pick<PaymentEntriesResponse, 'ledgerBalance' | 'entries'> | undefined,
): PaymentDetailResponse => ({
  ...payment,
  ledgerBalance: lines?.ledgerBalance ?? null,
  ledgerEntries: lines?.entries ?? [],
});

/** Shown to the merchant: amounts under the names of the API, without the hash of the client secret. */
const eventView = ({ version, event }: StoredEvent): PaymentHistory['data'][number] => ({
  version,
  type: event.type,
  occurredAt: event.at.toISOString(),
  data: Object.fromEntries(
    Object.entries(dataOf(event))
      .filter(([name]) => name !== 'clientSecretHash')
      .map(([name, value]) => [name.replace(/Minor$/, ''), value]),
  ),
});

const attemptView = (row: ListedAttempt): PaymentAttempts['data'][number] => ({
  attemptId: row.attempt_id,
  acquirer: row.acquirer,
  operation: row.operation,
  amount: minorToJson(row.amount_minor),
  outcome: row.unwanted ?? OUTCOME_OF[row.state],
  failure: row.failure && failureOf(row.failure),
  acquirerReference: row.acquirer_reference,
  inquiries: row.inquiries,
  nextInquiryAt: row.next_recovery_at?.toISOString() ?? null,
  startedAt: row.started_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
});
