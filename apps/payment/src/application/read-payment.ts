import { Injectable } from '@nestjs/common';
import {
  isStaff,
  type paymentAttemptsSchema,
  type PaymentDetailResponse,
  type PaymentEntriesResponse,
  type paymentEventsSchema,
  type PaymentResponse,
  type Principal,
} from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';
import type { z } from 'zod';

import { fold } from '../domain/evolve.js';
import type { OperationState, Payment } from '../domain/payment.js';
import { type ListedAttempt, listAttempts } from '../store/payment-attempts.js';
import { dataOf, historyUntil, loadHistory, type StoredEvent } from '../store/payment-events.js';
import { type SettlementRow, settlementRowsOf } from '../store/payment-settlements.js';
import { findPayment, type PaymentRow, paymentRowOf } from '../store/payments.js';
import { LedgerLines } from './ledger-lines.js';
import { sees, visibilityOf } from './ownership.js';
import { PaymentMoments } from './payment-moments.js';
import { failureOf, fraudView, paymentView, settlementView } from './payment-view.js';

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
    private readonly moments: PaymentMoments,
    private readonly lines: LedgerLines,
    private readonly outbox: Outbox,
  ) {}

  /** With its ledger lines, those of its own last change included. @throws Problem payment_not_found */
  async detail(paymentId: string, principal: Principal, asOf?: string): Promise<PaymentDetailResponse> {
    if (asOf !== undefined) {
      const payment = await this.standing(paymentId, principal, asOf);
      const row = paymentRowOf(payment);
      const sequence = await this.outbox.lastSequence(this.database, paymentId);
      return {
        ...withLines(paymentView(row), await this.lines.asOf(paymentId, sequence, asOf)),
        ...besides(row, settlementRowsOf(payment), principal),
      };
    }
    // One snapshot: the lines are those up to just the sequence that belongs to the row, so that amounts and lines tell of
    // one moment although they stand in two databases.
    const moment = visible(await this.moments.of(paymentId), principal);
    const { row, plan, sequence, settlements } = moment;
    return {
      ...withLines(paymentView(row, plan), await this.lines.upTo(paymentId, sequence)),
      ...besides(row, settlements, principal),
    };
  }

  /** @throws Problem payment_not_found */
  async events(paymentId: string, principal: Principal, asOf?: string): Promise<PaymentHistory> {
    await this.current(paymentId, principal);
    const history = await loadHistory(this.database, paymentId);
    const shown = asOf === undefined ? history : historyUntil(history, new Date(asOf));
    return { data: shown.map((stored) => eventView(stored, principal)) };
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
  private async standing(paymentId: string, principal: Principal, asOf: string): Promise<Payment> {
    await this.current(paymentId, principal);
    const history = historyUntil(await loadHistory(this.database, paymentId), new Date(asOf));
    if (history.length === 0)
      throw new Problem('payment_not_found', { detail: `There was no such payment at ${asOf}.` });
    return fold(history.map(({ event }) => event));
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
): Omit<PaymentDetailResponse, 'fraud' | 'settlements'> => ({
  ...payment,
  ledgerBalance: lines?.ledgerBalance ?? null,
  ledgerEntries: lines?.entries ?? [],
});

const besides = (
  row: PaymentRow,
  settlements: readonly SettlementRow[],
  principal: Principal,
): Pick<PaymentDetailResponse, 'fraud' | 'settlements'> => ({
  fraud: isPayer(principal) ? null : fraudView(row, isStaff(principal)),
  settlements: isPayer(principal) ? [] : settlements.map(settlementView),
});

const isPayer = (principal: Principal): boolean => visibilityOf(principal).of === 'payer';

/** Why a payment looked as it looked to fraud. */
const FOR_STAFF = new Set(['score', 'reasons', 'rulesVersion', 'decidedBy']);
/** What is between the merchant and others: the payer sees that it happened, by the number. */
const NOT_FOR_PAYERS = /^(Fraud|Review|Dispute|PaymentSettled)/;

/** Amounts under the names of the API, without the hash of the client secret, and for merchants without fraud's reasons. */
const eventView = ({ version, event }: StoredEvent, principal: Principal): PaymentHistory['data'][number] => ({
  version,
  type: event.type,
  occurredAt: event.at.toISOString(),
  data: Object.fromEntries(
    Object.entries(isPayer(principal) && NOT_FOR_PAYERS.test(event.type) ? {} : dataOf(event))
      .filter(([name]) => name !== 'clientSecretHash' && (isStaff(principal) || !FOR_STAFF.has(name)))
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
