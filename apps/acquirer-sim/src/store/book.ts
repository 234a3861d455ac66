import type { AcquirerOperation, AdviceCode, CardBehaviour } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { Outcome } from '../domain/outcome.js';
import type { WebhookHabit } from '../domain/treatment.js';

/** What was asked: a row of `operations`. */
export interface NewOperation {
  readonly acquirer: AcquirerName;
  readonly reference: string;
  readonly operation: AcquirerOperation['operation'];
  readonly authorizationId: string | null;
  readonly paymentId: string;
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly final: boolean;
  readonly cardBin: string | null;
  readonly cardLast4: string | null;
  readonly cardBehaviour: CardBehaviour | null;
  readonly webhookHabit: WebhookHabit | null;
  /** Null: a tombstone. */
  readonly requestHash: Buffer | null;
  readonly createdAt: Date;
}

/** A row of the view `book`: an operation as it stands now. */
export interface BookRow extends Omit<NewOperation, 'amountMinor'> {
  readonly position: bigint;
  readonly askedMinor: bigint;
  readonly sequence: number;
  readonly outcome: AcquirerOperation['outcome'];
  readonly amountMinor: bigint;
  readonly declineCode: string | null;
  readonly adviceCode: AdviceCode | null;
  readonly technical: boolean;
  readonly message: string;
  readonly challengeToken: string | null;
  readonly challengeExpiresAt: Date | null;
}

const COLUMNS = `
  position, acquirer, reference, operation, outcome, authorization_id AS "authorizationId", payment_id AS "paymentId",
  merchant_id AS "merchantId", amount_minor AS "amountMinor", asked_minor AS "askedMinor", currency, final,
  card_bin AS "cardBin", card_last4 AS "cardLast4", card_behaviour AS "cardBehaviour", webhook_habit AS "webhookHabit",
  request_hash AS "requestHash", sequence, decline_code AS "declineCode", advice_code AS "adviceCode", technical, message,
  created_at AS "createdAt", challenge_token AS "challengeToken", challenge_expires_at AS "challengeExpiresAt"`;

export const findOperation = async (
  sql: Sql,
  acquirer: AcquirerName,
  reference: string,
): Promise<BookRow | undefined> => {
  const [row] = await sql.query<BookRow>(`SELECT ${COLUMNS} FROM book WHERE acquirer = $1 AND reference = $2`, [
    acquirer,
    reference,
  ]);
  return row;
};

/**
 * One at a time decides what becomes of a reference after its first answer: time, the payer, a reversal. Until the
 * transaction ends. (No row lock: `operations` is append-only for this service, and a row that cannot be updated cannot be
 * locked. Two references with one hash wait for each other, and nothing worse.)
 */
export const lockReference = async (tx: Tx, acquirer: AcquirerName, reference: string): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${acquirer} ${reference}`]);
};

/**
 * Writes the operation with its first result, and the authorization when one was approved, unless the reference is in the
 * book. One statement, so that an authorization costs one round trip and one commit. A twin that is still in its
 * transaction is waited for.
 *
 * @returns whether it was written
 */
export const insertOperation = async (
  sql: Sql,
  operation: NewOperation,
  outcome: Outcome,
  amountMinor: bigint,
): Promise<boolean> => {
  const inserted = await sql.execute(
    `WITH asked AS (
       INSERT INTO operations (acquirer, reference, operation, authorization_id, payment_id, merchant_id, amount_minor,
         currency, final, card_bin, card_last4, card_behaviour, webhook_habit, request_hash, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
       ON CONFLICT (acquirer, reference) DO NOTHING
       RETURNING acquirer, reference, operation, authorization_id, currency, created_at
     ), said AS (
       INSERT INTO operation_results (acquirer, reference, sequence, outcome, amount_minor, decline_code, advice_code,
         technical, message, created_at)
       SELECT acquirer, reference, 1, $16::text, $17::bigint, $18, $19, $20::boolean, $21, created_at FROM asked
     ), authorized AS (
       INSERT INTO authorizations (acquirer, authorization_id, reference, amount_minor, currency)
       SELECT acquirer, authorization_id, reference, $17::bigint, currency FROM asked
        WHERE operation = 'authorize' AND $16::text = 'approved'
     )
     SELECT reference FROM asked`,
    [
      operation.acquirer,
      operation.reference,
      operation.operation,
      operation.authorizationId,
      operation.paymentId,
      operation.merchantId,
      operation.amountMinor,
      operation.currency,
      operation.final,
      operation.cardBin,
      operation.cardLast4,
      operation.cardBehaviour,
      operation.webhookHabit,
      operation.requestHash,
      operation.createdAt,
      ...resultValues(outcome, amountMinor),
    ],
  );
  return inserted === 1;
};

/** What the acquirer says from now on. */
export const insertResult = async (
  tx: Tx,
  { acquirer, reference, sequence }: Pick<BookRow, 'acquirer' | 'reference' | 'sequence'>,
  outcome: Outcome,
  amountMinor: bigint,
  at: Date,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO operation_results (acquirer, reference, sequence, outcome, amount_minor, decline_code, advice_code,
       technical, message, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [acquirer, reference, sequence + 1, ...resultValues(outcome, amountMinor), at],
  );
};

const resultValues = (outcome: Outcome, amountMinor: bigint): readonly unknown[] => {
  const declined = outcome.kind === 'declined' ? outcome : undefined;
  return [
    outcome.kind,
    amountMinor,
    declined?.declineCode ?? null,
    declined?.adviceCode ?? null,
    declined?.technical ?? false,
    outcome.message,
  ];
};

export interface BookFilter {
  readonly paymentId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly reference?: string | undefined;
}

/** Newest first. */
export const listOperations = async (
  sql: Sql,
  acquirer: AcquirerName,
  filter: BookFilter,
  before: bigint | null,
  limit: number,
): Promise<BookRow[]> =>
  await sql.query<BookRow>(
    `SELECT ${COLUMNS} FROM book
     WHERE acquirer = $1
       AND ($2::text IS NULL OR payment_id = $2)
       AND ($3::text IS NULL OR merchant_id = $3)
       AND ($4::text IS NULL OR reference = $4)
       AND ($5::bigint IS NULL OR position < $5)
     ORDER BY position DESC
     LIMIT $6`,
    [acquirer, filter.paymentId ?? null, filter.merchantId ?? null, filter.reference ?? null, before, limit],
  );
