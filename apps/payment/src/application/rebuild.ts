import { canonicalJson, type Json } from '@payflow/kernel';
import type { Sql } from '@payflow/postgres';

import { fold } from '../domain/evolve.js';
import type { Payment } from '../domain/payment.js';
import { attemptRowOf, listAttempts } from '../store/payment-attempts.js';
import { loadHistory, type StoredEvent } from '../store/payment-events.js';
import { findPayment, paymentRowOf } from '../store/payments.js';
import { listRefunds, refundRowOf } from '../store/refunds.js';

/** Where a live read model differs from what the events say. */
export interface Difference {
  readonly paymentId: string;
  readonly table: 'payment_events' | 'payments' | 'payment_attempts' | 'refunds';
  readonly detail: string;
}

export interface Comparison {
  readonly payments: number;
  readonly differences: readonly Difference[];
}

const PAGE_SIZE = 200;
const REFUNDS_MAX = 10_000;

/** Folds every history again and compares the result with the live rows (invariant 7). It changes nothing. */
export const compareReadModels = async (sql: Sql): Promise<Comparison> => {
  const differences: Difference[] = [];
  let payments = 0;
  let after = '';
  for (;;) {
    const ids = await paymentIdsAfter(sql, after);
    for (const paymentId of ids) differences.push(...(await differencesOf(sql, paymentId)));
    payments += ids.length;
    const last = ids.at(-1);
    if (last === undefined) return { payments, differences };
    after = last;
  }
};

/** Every id that a history or a row has, so that a row without events is seen too. */
const paymentIdsAfter = async (sql: Sql, after: string): Promise<readonly string[]> => {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM (SELECT payment_id AS id FROM payment_events UNION SELECT id FROM payments) AS known
     WHERE id > $1 ORDER BY id LIMIT $2`,
    [after, PAGE_SIZE],
  );
  return rows.map(({ id }) => id);
};

const differencesOf = async (sql: Sql, paymentId: string): Promise<readonly Difference[]> => {
  const history = await loadHistory(sql, paymentId);
  const payment = fold(history.map(({ event }) => event));
  const refunds = await listRefunds(sql, { visible: { of: 'everyone' }, paymentId }, undefined, REFUNDS_MAX);
  const found: readonly (readonly [Difference['table'], string | undefined])[] = [
    ['payment_events', gapIn(history)],
    ['payments', difference(paymentRowOf(payment), await findPayment(sql, paymentId))],
    ['payment_attempts', difference(attemptRowsOf(payment), await listAttempts(sql, paymentId))],
    ['refunds', difference(byId(refundRowsOf(payment)), byId(refunds))],
  ];
  return found.flatMap(([table, detail]) => (detail === undefined ? [] : [{ paymentId, table, detail }]));
};

const gapIn = (history: readonly StoredEvent[]): string | undefined => {
  const wrong = history.findIndex(({ version }, index) => version !== index + 1);
  return wrong === -1 ? undefined : `version ${wrong + 1} is missing`;
};

const attemptRowsOf = (payment: Payment) =>
  payment.operations.map((operation, index) => attemptRowOf(payment, operation, index + 1));

const refundRowsOf = (payment: Payment) =>
  payment.operations.flatMap((operation) => (operation.kind === 'refund' ? [refundRowOf(payment, operation)] : []));

const byId = <Row extends { readonly id: string }>(rows: readonly Row[]): readonly Row[] =>
  [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));

const difference = (folded: unknown, live: unknown): string | undefined => {
  const [expected, actual] = [textOf(folded), textOf(live)];
  return expected === actual ? undefined : `the events say ${expected}, the row says ${actual}`;
};

const textOf = (value: unknown): string =>
  value === undefined
    ? 'nothing'
    : canonicalJson(
        JSON.parse(
          JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? `${member}` : member)),
        ) as Json,
      );
