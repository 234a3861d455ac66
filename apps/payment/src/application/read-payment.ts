import { Injectable } from '@nestjs/common';
import { LedgerClient } from '@payflow/clients';
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
import { Database, type Sql } from '@payflow/postgres';
import { InjectConfig, Logger, Problem } from '@payflow/service';
import type { z } from 'zod';

import { fold } from '../domain/evolve.js';
import type { OperationState } from '../domain/payment.js';
import type { PaymentConfig } from '../payment.config.js';
import { type ListedAttempt, listAttempts, type RecoveryPlan, recoveryPlanOf } from '../store/payment-attempts.js';
import { dataOf, historyUntil, loadHistory, type StoredEvent } from '../store/payment-events.js';
import { findPayment, type PaymentRow, paymentRowOf } from '../store/payments.js';
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
    private readonly ledger: LedgerClient,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {}

  /** With its ledger lines, those of its own last change included. @throws Problem payment_not_found */
  async detail(paymentId: string, principal: Principal, asOf?: string): Promise<PaymentDetailResponse> {
    if (asOf !== undefined) {
      const row = await this.standing(paymentId, principal, asOf);
      return withLines(paymentView(row), await this.ledgerLines(paymentId, await this.lastSequence(paymentId), asOf));
    }
    const { row, sequence, plan } = await this.moment(paymentId, principal);
    return withLines(paymentView(row, plan), await this.ledgerLines(paymentId, sequence));
  }

  /**
   * The payment and how far it has published, in one snapshot: the ledger is asked for its lines up to just there, so
   * that amounts and lines tell of one moment although they stand in two databases.
   */
  private async moment(
    paymentId: string,
    principal: Principal,
  ): Promise<{ readonly row: PaymentRow; readonly sequence: number; readonly plan: RecoveryPlan | undefined }> {
    return await this.database.snapshot(async (sql) => {
      const row = await this.current(paymentId, principal, sql);
      const plan = row.status === 'PROCESSING' ? await recoveryPlanOf(sql, paymentId) : undefined;
      return { row, sequence: await this.outbox.lastSequence(sql, paymentId), plan };
    });
  }

  private async lastSequence(paymentId: string): Promise<number> {
    return await this.outbox.lastSequence(this.database, paymentId);
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

  private async current(paymentId: string, principal: Principal, sql: Sql = this.database): Promise<PaymentRow> {
    const row = await findPayment(sql, paymentId);
    if (!row || !sees(principal, { merchantId: row.merchant_id, userId: row.user_id }))
      throw new Problem('payment_not_found');
    return row;
  }

  /** The payment as its events up to that moment tell it. Before the first one there was none. */
  private async standing(paymentId: string, principal: Principal, asOf: string): Promise<PaymentRow> {
    await this.current(paymentId, principal);
    const history = historyUntil(await loadHistory(this.database, paymentId), new Date(asOf));
    if (history.length === 0)
      throw new Problem('payment_not_found', { detail: `There was no such payment at ${asOf}.` });
    return paymentRowOf(fold(history.map(({ event }) => event)));
  }

  /**
   * Undefined while the ledger cannot be reached or lags behind: the payment is worth reading without it, and a stale
   * balance is worse than none.
   */
  private async ledgerLines(
    paymentId: string,
    sequence: number,
    asOf?: string,
  ): Promise<PaymentEntriesResponse | undefined> {
    try {
      const lines = await this.ledger.paymentEntries(paymentId, {
        sequence,
        waitMs: this.config.LEDGER_WAIT_MS,
        ...(asOf === undefined ? {} : { asOf }),
      });
      return lines.appliedSequence < sequence ? undefined : lines;
    } catch (error) {
      this.logger.warn({ err: error, paymentId }, 'the ledger lines of a payment are missing');
      return undefined;
    }
  }
}

const withLines = (payment: PaymentResponse, lines: PaymentEntriesResponse | undefined): PaymentDetailResponse => ({
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
