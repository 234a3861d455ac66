import type { PaymentStatus } from '@payflow/contracts';
import type { PaymentId } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

import {
  acquirerOf,
  actionOf,
  authorizedMinor,
  capturableMinor,
  capturedMinor,
  type Failure,
  type Metadata,
  type Payment,
  type PaymentMethod,
  pendingCaptureMinor,
  pendingRefundMinor,
  refundedMinor,
  statusOf,
  unansweredOperation,
} from '../domain/payment.js';
import { chargedBackMinor, disputedMinor, disputeFeeMinor } from '../domain/dispute.js';
import { expiryDueAt } from '../domain/expire.js';
import type { FraudCheck } from '../domain/judgement.js';
import { Conditions, type ListPosition, type Visibility } from './conditions.js';
import type { RecoveryPlan } from './payment-attempts.js';
import { type SettlementJson, type SettlementRow, SETTLEMENTS_JSON, settlementRowsIn } from './payment-settlements.js';

/** What was said before any acquirer was asked, with the review that followed, open or not. */
export type FraudRow = FraudCheck & { readonly reviewId: string | null; readonly decideBy: string | null };

/** The read model of a payment: one row of `payments`. */
export interface PaymentRow {
  readonly id: PaymentId;
  readonly merchant_id: string;
  readonly user_id: string | null;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: PaymentStatus;
  readonly version: bigint;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly metadata: Metadata;
  readonly authorized_minor: bigint;
  readonly capturable_minor: bigint;
  readonly captured_minor: bigint;
  readonly pending_capture_minor: bigint;
  readonly refunded_minor: bigint;
  readonly pending_refund_minor: bigint;
  readonly fee_minor: bigint;
  readonly disputed_minor: bigint;
  readonly charged_back_minor: bigint;
  readonly dispute_fee_minor: bigint;
  readonly reference: string | null;
  readonly description: string | null;
  readonly statement_descriptor: string | null;
  readonly return_url: string | null;
  readonly client_secret_hash: string | null;
  readonly payment_method: PaymentMethod | null;
  readonly fraud: FraudRow | null;
  readonly acquirer: string | null;
  readonly acquirer_reference: string | null;
  readonly last_error: Failure | null;
  readonly action: { readonly url: string; readonly expiresAt: string } | null;
  readonly unanswered_reason: string | null;
  readonly authorized_at: Date | null;
  readonly expires_at: Date | null;
  /** The timer of what is held: null while nothing is, or is on its way out. */
  readonly expiry_due_at: Date | null;
  readonly captured_at: Date | null;
  readonly canceled_at: Date | null;
  readonly expired_at: Date | null;
}

const actionRowOf = (payment: Payment): PaymentRow['action'] => {
  const action = actionOf(payment);
  return action && { url: action.url, expiresAt: action.expiresAt.toISOString() };
};

const fraudRowOf = ({ fraud, review }: Payment): FraudRow | null =>
  fraud && { ...fraud, reviewId: review?.reviewId ?? null, decideBy: review?.decideBy.toISOString() ?? null };

/** The projection: what the row says is a function of the state and of nothing else. */
export const paymentRowOf = (payment: Payment): PaymentRow => ({
  id: payment.paymentId,
  merchant_id: payment.merchantId,
  user_id: payment.userId,
  amount: payment.amountMinor,
  currency: payment.currency,
  status: statusOf(payment),
  version: BigInt(payment.version),
  created_at: payment.createdAt,
  updated_at: payment.updatedAt,
  metadata: payment.metadata,
  authorized_minor: authorizedMinor(payment),
  capturable_minor: capturableMinor(payment),
  captured_minor: capturedMinor(payment),
  pending_capture_minor: pendingCaptureMinor(payment),
  refunded_minor: refundedMinor(payment),
  pending_refund_minor: pendingRefundMinor(payment),
  fee_minor: payment.feeMinor,
  disputed_minor: disputedMinor(payment.disputes),
  charged_back_minor: chargedBackMinor(payment.disputes),
  dispute_fee_minor: disputeFeeMinor(payment.disputes),
  reference: payment.reference,
  description: payment.description,
  statement_descriptor: payment.statementDescriptor,
  return_url: payment.returnUrl,
  client_secret_hash: payment.clientSecretHash,
  payment_method: payment.paymentMethod,
  fraud: fraudRowOf(payment),
  acquirer: acquirerOf(payment),
  acquirer_reference: payment.authorization?.acquirerReference ?? null,
  last_error: payment.lastError,
  action: actionRowOf(payment),
  unanswered_reason: unansweredOperation(payment)?.unansweredReason ?? null,
  authorized_at: payment.authorization?.authorizedAt ?? null,
  expires_at: payment.authorization?.expiresAt ?? null,
  expiry_due_at: expiryDueAt(payment),
  captured_at: payment.capturedAt,
  canceled_at: payment.canceledAt,
  expired_at: payment.expiredAt,
});

const COLUMNS = [
  'id',
  'merchant_id',
  'user_id',
  'amount',
  'currency',
  'status',
  'version',
  'created_at',
  'updated_at',
  'metadata',
  'authorized_minor',
  'capturable_minor',
  'captured_minor',
  'pending_capture_minor',
  'refunded_minor',
  'pending_refund_minor',
  'fee_minor',
  'disputed_minor',
  'charged_back_minor',
  'dispute_fee_minor',
  'reference',
  'description',
  'statement_descriptor',
  'return_url',
  'client_secret_hash',
  'payment_method',
  'fraud',
  'acquirer',
  'acquirer_reference',
  'last_error',
  'action',
  'unanswered_reason',
  'authorized_at',
  'expires_at',
  'expiry_due_at',
  'captured_at',
  'canceled_at',
  'expired_at',
] as const satisfies readonly (keyof PaymentRow)[];

const SELECTED = COLUMNS.join(', ');

const STORE_PAYMENT = `
  INSERT INTO payments (${SELECTED}) VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
  WHERE payments.version = $${COLUMNS.length + 1}`;

/** Objects are written as JSON text; the driver would send an array as a Postgres array. */
const parameterOf = (value: PaymentRow[keyof PaymentRow]): unknown =>
  typeof value === 'object' && value !== null && !(value instanceof Date) ? JSON.stringify(value) : value;

/** Writes the row over version `expected` (0: there is none yet). False: another writer was faster. */
export const storePayment = async (tx: Tx, row: PaymentRow, expected: number): Promise<boolean> =>
  (await tx.execute(STORE_PAYMENT, [...COLUMNS.map((column) => parameterOf(row[column])), expected])) === 1;

export const findPayment = async (sql: Sql, paymentId: string): Promise<PaymentRow | undefined> =>
  (await sql.query<PaymentRow>(`SELECT ${SELECTED} FROM payments WHERE id = $1`, [paymentId]))[0];

/** A payment with what stands beside it, as one statement saw them all. */
export interface PaymentMoment {
  readonly row: PaymentRow;
  /** How far it has published: what the ledger has to know to know all of it. */
  readonly sequence: number;
  /** Undefined when no order is open. */
  readonly plan: RecoveryPlan | undefined;
  readonly settlements: readonly SettlementRow[];
}

type MomentRow = PaymentRow & {
  readonly last_sequence: bigint | null;
  readonly settlements: readonly SettlementJson[] | null;
} & (RecoveryPlan | { readonly inquiries: null; readonly next_recovery_at: null });

/**
 * Each by its key: a plan that is made while the tables are small stays right when they have grown. The array in a SELECT of its
 * own hides its length from the planner, who would else plan anew for each call, four times the work of the statement itself.
 */
const FIND_MOMENTS = `
  SELECT found.* FROM unnest((SELECT $1::text[])) AS wanted (id) CROSS JOIN LATERAL (
    SELECT ${COLUMNS.map((column) => `p.${column}`).join(', ')}, s.last_sequence, o.inquiries, o.next_recovery_at,
           ${SETTLEMENTS_JSON} AS settlements
      FROM payments p
      LEFT JOIN publication_sequences s ON s.aggregate_id = p.id
      LEFT JOIN LATERAL (
        SELECT inquiries, next_recovery_at FROM payment_attempts
         WHERE p.status = 'PROCESSING' AND payment_id = p.id AND next_recovery_at IS NOT NULL
         ORDER BY next_recovery_at LIMIT 1) o ON true
     WHERE p.id = wanted.id LIMIT 1) AS found`;

/** In one statement and not in a transaction of three: it is what GET /payments/{id} costs. Those that do not exist are left out. */
export const findPaymentMoments = async (
  sql: Sql,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, PaymentMoment>> => {
  const rows = await sql.query<MomentRow>(FIND_MOMENTS, [paymentIds]);
  return new Map(rows.map((row) => [row.id, momentOf(row)]));
};

const momentOf = (row: MomentRow): PaymentMoment => ({
  row,
  settlements: settlementRowsIn(row.settlements),
  sequence: Number(row.last_sequence ?? 0),
  plan: row.next_recovery_at === null ? undefined : row,
});

/** Holds the payment for this transaction: its captures, refunds and cancels go one after the other. */
export const lockPayment = async (tx: Tx, paymentId: string): Promise<boolean> =>
  (await tx.query('SELECT 1 FROM payments WHERE id = $1 FOR UPDATE', [paymentId])).length === 1;

export interface PaymentFilter {
  readonly merchantId?: string | undefined;
  readonly userId?: string | undefined;
  readonly status?: PaymentStatus | undefined;
  readonly reference?: string | undefined;
  readonly metadata?: Metadata | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** More conditions for whom the caller may see: both hold. */
  readonly visible: Visibility;
}

/** Newest first. */
export const listPayments = async (
  sql: Sql,
  filter: PaymentFilter,
  after: ListPosition | undefined,
  limit: number,
): Promise<readonly PaymentRow[]> => {
  const conditions = new Conditions()
    .visibleTo(filter.visible)
    .add((p) => `merchant_id = ${p}`, filter.merchantId)
    .add((p) => `user_id = ${p}`, filter.userId)
    .add((p) => `status = ${p}`, filter.status)
    .add((p) => `reference = ${p}`, filter.reference)
    .add((p) => `metadata @> ${p}::jsonb`, filter.metadata && JSON.stringify(filter.metadata))
    .add((p) => `created_at >= ${p}`, filter.from)
    .add((p) => `created_at < ${p}`, filter.to)
    .behind(after);
  return await sql.query<PaymentRow>(
    `SELECT ${SELECTED} FROM payments ${conditions.where} ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.parameters,
  );
};

/** Whose authorization has run out, by the clock of the database: the only one that all instances share. */
export const listExpiring = async (sql: Sql, idsMax: number): Promise<readonly string[]> => {
  const rows = await sql.query<{ id: string }>(
    'SELECT id FROM payments WHERE expiry_due_at <= now() ORDER BY expiry_due_at LIMIT $1',
    [idsMax],
  );
  return rows.map(({ id }) => id);
};

/** Holds such a payment for this transaction, with the time by that clock. Undefined when another instance was faster. */
export const lockExpiring = async (tx: Tx, paymentId: string): Promise<Date | undefined> => {
  const [row] = await tx.query<{ now: Date }>(
    'SELECT now() AS now FROM payments WHERE id = $1 AND expiry_due_at <= now() FOR UPDATE SKIP LOCKED',
    [paymentId],
  );
  return row?.now;
};
