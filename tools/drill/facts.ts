import type { Databases, Row } from './databases.ts';

export type AttemptState = 'open' | 'approved' | 'no';

/** A payment as PayFlow has it. */
export interface PaymentFact {
  readonly paymentId: string;
  readonly merchantId: string;
  readonly reference: string | null;
  readonly status: string;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
}

/** An order of PayFlow's to an acquirer; its id is the reference there. */
export interface AttemptFact {
  readonly attemptId: string;
  readonly paymentId: string;
  readonly operation: string;
  readonly amount: number;
  readonly state: AttemptState;
  /** Approved, but too late or for too little: it is taken back. */
  readonly unwanted: boolean;
}

/** A line of the acquirer's own book. */
export interface BookFact {
  readonly reference: string;
  readonly paymentId: string;
  readonly operation: string;
  readonly approved: boolean;
  readonly amount: number;
}

/** What the ledger holds of a payment, by entry type. */
export interface LedgerFact {
  readonly paymentId: string;
  readonly type: string;
  readonly entries: number;
  readonly amount: number;
}

/** What PayFlow itself has handed to people: an acquirer that contradicts the record. */
export interface ExceptionFact {
  readonly paymentId: string;
  readonly operationId: string;
  readonly kind: string;
}

export interface Facts {
  readonly payments: readonly PaymentFact[];
  readonly attempts: readonly AttemptFact[];
  readonly book: readonly BookFact[];
  readonly ledger: readonly LedgerFact[];
  readonly exceptions: readonly ExceptionFact[];
}

/** What the databases and the acquirers' books say about these merchants' payments. */
export const readFacts = async (databases: Databases, merchantIds: readonly string[]): Promise<Facts> => {
  const payments = await databases.query(
    'payment',
    `SELECT id, merchant_id, reference, status, captured_minor, refunded_minor FROM payments WHERE merchant_id = ANY ($1)`,
    [merchantIds],
  );
  const attempts = await databases.query(
    'payment',
    `SELECT a.attempt_id, a.payment_id, a.operation, a.amount_minor, a.state, a.unwanted
       FROM payment_attempts a JOIN payments p ON p.id = a.payment_id WHERE p.merchant_id = ANY ($1)`,
    [merchantIds],
  );
  const book = await databases.query(
    'acquirer-sim',
    `SELECT reference, payment_id, operation, outcome, amount_minor FROM book WHERE merchant_id = ANY ($1)`,
    [merchantIds],
  );
  const ledger = await databases.query(
    'ledger',
    `SELECT payment_id, entry_type, count(*) AS entries, sum(amount) AS amount FROM entries
      WHERE merchant_id = ANY ($1) AND direction = 'credit' GROUP BY payment_id, entry_type`,
    [merchantIds],
  );
  const exceptions = await databases.query(
    'payment',
    `SELECT payment_id, operation_id, kind FROM payment_exceptions
      WHERE merchant_id = ANY ($1) AND kind <> 'stuck' AND resolved_at IS NULL`,
    [merchantIds],
  );
  return {
    payments: payments.map(paymentOf),
    attempts: attempts.map(attemptOf),
    book: book.map(bookOf),
    ledger: ledger.map(ledgerOf),
    exceptions: exceptions.map(exceptionOf),
  };
};

const paymentOf = (row: Row): PaymentFact => ({
  paymentId: String(row['id']),
  merchantId: String(row['merchant_id']),
  reference: typeof row['reference'] === 'string' ? row['reference'] : null,
  status: String(row['status']),
  capturedMinor: Number(row['captured_minor']),
  refundedMinor: Number(row['refunded_minor']),
});

const STATES: Readonly<Record<string, AttemptState>> = {
  requested: 'open',
  action_required: 'open',
  unanswered: 'open',
  approved: 'approved',
};

const attemptOf = (row: Row): AttemptFact => ({
  attemptId: String(row['attempt_id']),
  paymentId: String(row['payment_id']),
  operation: String(row['operation']),
  amount: Number(row['amount_minor']),
  state: STATES[String(row['state'])] ?? 'no',
  unwanted: row['unwanted'] !== null,
});

const bookOf = (row: Row): BookFact => ({
  reference: String(row['reference']),
  paymentId: String(row['payment_id']),
  operation: String(row['operation']),
  approved: row['outcome'] === 'approved',
  amount: Number(row['amount_minor']),
});

const ledgerOf = (row: Row): LedgerFact => ({
  paymentId: String(row['payment_id']),
  type: String(row['entry_type']),
  entries: Number(row['entries']),
  amount: Number(row['amount']),
});

const exceptionOf = (row: Row): ExceptionFact => ({
  paymentId: String(row['payment_id']),
  operationId: String(row['operation_id']),
  kind: String(row['kind']),
});
