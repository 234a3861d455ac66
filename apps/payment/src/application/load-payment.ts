import type { Principal } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { fold } from '../domain/evolve.js';
import type { Payment } from '../domain/payment.js';
import { loadHistory } from '../store/payment-events.js';
import { lockPayment } from '../store/payments.js';
import { sees } from './ownership.js';

/** The payment from its events; undefined when there is none. */
export const loadPayment = async (sql: Sql, paymentId: string): Promise<Payment | undefined> => {
  const history = await loadHistory(sql, paymentId);
  return history.length === 0 ? undefined : fold(history.map(({ event }) => event));
};

/**
 * The payment, held for this transaction.
 *
 * @throws Problem payment_not_found, also when it is not the caller's
 */
export const lockOwnPayment = async (tx: Tx, paymentId: string, principal: Principal): Promise<Payment> => {
  const payment = await lockedPayment(tx, paymentId);
  if (!payment || !sees(principal, payment)) throw new Problem('payment_not_found');
  return payment;
};

/** The payment, held for this transaction, for work that belongs to it whoever asks. */
export const lockKnownPayment = async (tx: Tx, paymentId: string): Promise<Payment> => {
  const payment = await lockedPayment(tx, paymentId);
  if (!payment) throw new Error(`invariant: ${paymentId} has vanished`);
  return payment;
};

/** In one round trip. The history is read by a statement behind the lock, so it is that of whoever had the lock before. */
const lockedPayment = async (tx: Tx, paymentId: string): Promise<Payment | undefined> => {
  const [, payment] = await Promise.all([lockPayment(tx, paymentId), loadPayment(tx, paymentId)]);
  return payment;
};

/** For a successor after a crash: the payment on which the operation was ordered. */
export const locateOperation = async (
  tx: Tx,
  paymentId: string,
  operationId: string,
): Promise<{ readonly before: Payment; readonly firstOperationId: string }> => {
  const before = await loadPayment(tx, paymentId);
  if (!before) throw new Error(`invariant: ${operationId} was claimed for a payment that is not there`);
  return { before, firstOperationId: operationId };
};
