import { canonicalJson, type Json } from '@payflow/kernel';
import type { Sql } from '@payflow/postgres';

import { fold } from '../domain/evolve.js';
import type { Payment } from '../domain/payment.js';
import { disputeRowOf } from '../store/disputes.js';
import { attemptRowOf } from '../store/payment-attempts.js';
import { loadHistories, type StoredEvent } from '../store/payment-events.js';
import { paymentRowOf } from '../store/payments.js';
import { settlementRowsOf } from '../store/payment-settlements.js';
import { refundRowOf } from '../store/refunds.js';

/** Where a live read model differs from what the events say. */
export interface Difference {
  readonly paymentId: string;
  readonly table: 'payment_events' | 'payments' | 'payment_attempts' | 'refunds' | 'disputes' | 'payment_settlements';
  readonly detail: string;
}

export interface Comparison {
  readonly payments: number;
  readonly differences: readonly Difference[];
}

const PAGE_SIZE = 500;

/** Folds every history again and compares the result with the live rows (invariant 7). It changes nothing. */
export const compareReadModels = async (sql: Sql): Promise<Comparison> => {
  const differences: Difference[] = [];
  let payments = 0;
  let after = '';
  for (;;) {
    const ids = await paymentIdsAfter(sql, after, PAGE_SIZE);
    differences.push(...(await differencesAmong(sql, ids)));
    payments += ids.length;
    const last = ids.at(-1);
    if (last === undefined) return { payments, differences };
    after = last;
  }
};

/** The next ids that a history or a row has, so that a row without events is seen too. Each page is read from two indexes. */
export const paymentIdsAfter = async (sql: Sql, after: string, idsMax: number): Promise<readonly string[]> => {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM (
       (SELECT DISTINCT payment_id AS id FROM payment_events WHERE payment_id > $1 ORDER BY payment_id LIMIT $2)
       UNION
       (SELECT id FROM payments WHERE id > $1 ORDER BY id LIMIT $2)) AS known
     ORDER BY id LIMIT $2`,
    [after, idsMax],
  );
  return rows.map(({ id }) => id);
};

/**
 * Compares the read models of these payments with their histories: one statement for each table. While commands run, give
 * it a snapshot, or a row may be newer than the history beside it.
 */
export const differencesAmong = async (sql: Sql, paymentIds: readonly string[]): Promise<readonly Difference[]> => {
  const histories = await loadHistories(sql, paymentIds);
  const payments = await rowsByPayment(sql, 'payments', 'id', paymentIds);
  const attempts = await rowsByPayment(sql, 'payment_attempts', 'payment_id', paymentIds);
  const refunds = await rowsByPayment(sql, 'refunds', 'payment_id', paymentIds);
  const disputes = await rowsByPayment(sql, 'disputes', 'payment_id', paymentIds);
  const settlements = await rowsByPayment(sql, 'payment_settlements', 'payment_id', paymentIds);
  return paymentIds.flatMap((paymentId) => {
    const history = histories.get(paymentId) ?? [];
    const payment = fold(history.map(({ event }) => event));
    const found: readonly (readonly [Difference['table'], string | undefined])[] = [
      ['payment_events', gapIn(history)],
      ['payments', difference(history.length === 0 ? [] : [paymentRowOf(payment)], payments.get(paymentId) ?? [])],
      ['payment_attempts', difference(attemptRowsOf(payment), byPosition(attempts.get(paymentId) ?? []))],
      ['refunds', difference(byId(refundRowsOf(payment)), byId(refunds.get(paymentId) ?? []))],
      ['disputes', difference(byId(disputeRowsOf(payment)), byId(disputes.get(paymentId) ?? []))],
      [
        'payment_settlements',
        difference(bySettlement(settlementRowsOf(payment)), bySettlement(settlements.get(paymentId) ?? [])),
      ],
    ];
    return found.flatMap(([table, detail]) => (detail === undefined ? [] : [{ paymentId, table, detail }]));
  });
};

type Row = Readonly<Record<string, unknown>>;

const rowsByPayment = async (
  sql: Sql,
  table: Exclude<Difference['table'], 'payment_events'>,
  paymentColumn: 'id' | 'payment_id',
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Row[]>> => {
  const rows = await sql.query<Row>(`SELECT * FROM ${table} WHERE ${paymentColumn} = ANY($1)`, [paymentIds]);
  const byPayment = new Map<string, Row[]>();
  for (const row of rows) {
    const paymentId = row[paymentColumn] as string;
    byPayment.set(paymentId, [...(byPayment.get(paymentId) ?? []), row]);
  }
  return byPayment;
};

const gapIn = (history: readonly StoredEvent[]): string | undefined => {
  const wrong = history.findIndex(({ version }, index) => version !== index + 1);
  return wrong === -1 ? undefined : `version ${wrong + 1} is missing`;
};

const attemptRowsOf = (payment: Payment) =>
  payment.operations.map((operation, index) => attemptRowOf(payment, operation, index + 1));

const refundRowsOf = (payment: Payment) =>
  payment.operations.flatMap((operation) => (operation.kind === 'refund' ? [refundRowOf(payment, operation)] : []));

const disputeRowsOf = (payment: Payment) => payment.disputes.map((dispute) => disputeRowOf(payment, dispute));

const byId = <Identified extends object>(rows: readonly Identified[]): readonly Identified[] =>
  rows.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
const idOf = (row: object): string => (row as { readonly id: string }).id;

const bySettlement = <Row extends object>(rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((a, b) => (settlementOf(a) < settlementOf(b) ? -1 : 1));
const settlementOf = (row: object): string => (row as { readonly settlement_id: string }).settlement_id;

const byPosition = (rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((a, b) => Number(a['position']) - Number(b['position']));

/** Names the first thing that differs. Columns that no event decides (a timer) are the worker's business. */
const difference = (folded: readonly object[], live: readonly Row[]): string | undefined => {
  if (folded.length !== live.length) return `the events say ${folded.length} rows, there are ${live.length}`;
  for (const [index, expected] of folded.entries()) {
    for (const [column, value] of Object.entries(expected)) {
      const [says, is] = [textOf(value), textOf(live[index]?.[column])];
      if (says !== is) return `${column}: the events say ${says}, the row says ${is}`;
    }
  }
  return undefined;
};

const textOf = (value: unknown): string =>
  value === undefined
    ? 'nothing'
    : canonicalJson(
        JSON.parse(
          JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? `${member}` : member)),
        ) as Json,
      );
