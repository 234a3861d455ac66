import { PAYOUT_SETTLEMENTS_MAX, type PayoutStatus } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import { BEGUN_PAYOUT, type PayoutState, payoutStatus } from '../domain/payout.js';
import type { BalanceKey } from './merchant-balances.js';

export type PayoutWay = 'api' | 'file';

/** A row of `payouts`. */
export interface PayoutRow extends PayoutState, BalanceKey {
  readonly id: string;
  readonly amountMinor: bigint;
  readonly bank: string;
  /** How the bank is told of it. */
  readonly way: PayoutWay;
  readonly status: PayoutStatus;
  readonly attention: string | null;
  /** Null until the merchant's account was found. */
  readonly accountSealed: Buffer | null;
  readonly accountMasked: string | null;
  readonly bankReference: string | null;
  /** How often it was looked at. */
  readonly asked: number;
  readonly fence: bigint;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
  readonly paidAt: Date | null;
  readonly endedAt: Date | null;
  /** The first of those that it pays; each batch names its payout. */
  readonly settlementIds: readonly string[];
}

const COLUMNS = `p.id, p.merchant_id AS "merchantId", p.amount_minor AS "amountMinor", p.currency, p.bank, p.way, p.stage, p.status,
  p.reason, p.came_back AS "cameBack", p.attention, p.account_sealed AS "accountSealed", p.account_masked AS "accountMasked",
  p.bank_reference AS "bankReference", p.asked, p.fence, p.created_at AS "createdAt", p.sent_at AS "sentAt",
  p.paid_at AS "paidAt", p.ended_at AS "endedAt",
  ARRAY(SELECT s.id FROM settlements s WHERE s.payout_id = p.id ORDER BY s.id LIMIT ${PAYOUT_SETTLEMENTS_MAX}) AS "settlementIds"`;

export interface NewPayout extends BalanceKey {
  readonly id: string;
  readonly amountMinor: bigint;
}

/** Payouts that begin, to be looked at at once. */
export const insertPayouts = async (
  tx: Tx,
  run: { readonly id: string; readonly bank: string; readonly way: PayoutWay },
  payouts: readonly NewPayout[],
): Promise<void> => {
  if (payouts.length === 0) return;
  await tx.execute(
    `INSERT INTO payouts (id, merchant_id, currency, amount_minor, run_id, bank, way, stage, status, due_at)
     SELECT id, merchant_id, currency, amount, $5, $6, $7, $8, $9, now()
       FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS v (id, merchant_id, currency, amount)`,
    [
      payouts.map(({ id }) => id),
      payouts.map(({ merchantId }) => merchantId),
      payouts.map(({ currency }) => currency),
      payouts.map(({ amountMinor }) => amountMinor),
      run.id,
      run.bank,
      run.way,
      BEGUN_PAYOUT.stage,
      payoutStatus(BEGUN_PAYOUT),
    ],
  );
};

/** Takes up what is due and in nobody's hands, for as long as the lease lasts. */
export const takeDuePayouts = async (sql: Sql, leaseMs: number, limit: number): Promise<readonly PayoutRow[]> =>
  await sql.query<PayoutRow>(
    `UPDATE payouts p
        SET asked = p.asked + 1, fence = p.fence + 1,
            lease_until = clock_timestamp() + make_interval(secs => $1::double precision / 1000)
       FROM (SELECT id FROM payouts
              WHERE due_at <= clock_timestamp() AND (lease_until IS NULL OR lease_until <= clock_timestamp())
              ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
      WHERE p.id = due.id
  RETURNING ${COLUMNS}`,
    [leaseMs, limit],
  );

/** Locked until the transaction ends, in the order of their ids. */
export const lockPayouts = async (tx: Tx, ids: readonly string[]): Promise<readonly PayoutRow[]> =>
  await tx.query<PayoutRow>(
    `SELECT ${COLUMNS} FROM payouts p WHERE p.id = ANY ($1::text[]) ORDER BY p.id FOR NO KEY UPDATE OF p`,
    [ids],
  );

/** What became of a payout. */
export interface StoredPayout extends PayoutState {
  readonly id: string;
  readonly bankReference: string | null;
  readonly attention: string | null;
  readonly sent: boolean;
  readonly paid: boolean;
  readonly ended: boolean;
  /** There is nothing left to do: its timer goes. */
  readonly done: boolean;
}

/** The rows are locked. */
export const storePayouts = async (tx: Tx, payouts: readonly StoredPayout[]): Promise<void> => {
  if (payouts.length === 0) return;
  await tx.execute(
    `UPDATE payouts p
        SET stage = v.stage, status = v.status, reason = v.reason, came_back = v.came_back, attention = v.attention,
            bank_reference = coalesce(v.bank_reference, p.bank_reference),
            sent_at = CASE WHEN v.sent THEN coalesce(p.sent_at, now()) ELSE p.sent_at END,
            paid_at = CASE WHEN v.paid THEN coalesce(p.paid_at, now()) ELSE p.paid_at END,
            ended_at = CASE WHEN v.ended THEN coalesce(p.ended_at, now()) END,
            due_at = CASE WHEN v.done THEN NULL ELSE coalesce(p.due_at, now()) END
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::boolean[],
                   $9::boolean[], $10::boolean[], $11::boolean[])
         AS v (id, stage, status, reason, came_back, bank_reference, attention, sent, paid, ended, done)
      WHERE p.id = v.id`,
    [
      payouts.map(({ id }) => id),
      payouts.map(({ stage }) => stage),
      payouts.map((payout) => payoutStatus(payout)),
      payouts.map(({ reason }) => reason),
      payouts.map(({ cameBack }) => cameBack),
      payouts.map(({ bankReference }) => bankReference),
      payouts.map(({ attention }) => attention),
      payouts.map(({ sent }) => sent),
      payouts.map(({ paid }) => paid),
      payouts.map(({ ended }) => ended),
      payouts.map(({ done }) => done),
    ],
  );
};

/** Puts them off and gives them back. Somebody else's are left alone. */
export const putOffPayouts = async (
  sql: Pick<Sql, 'execute'>,
  payouts: readonly {
    readonly id: string;
    readonly fence: bigint;
    readonly seconds: number;
    readonly attention: string | null;
  }[],
): Promise<void> => {
  if (payouts.length === 0) return;
  await sql.execute(
    `UPDATE payouts p SET due_at = clock_timestamp() + make_interval(secs => v.seconds), lease_until = NULL,
            attention = coalesce(p.attention, v.attention)
       FROM unnest($1::text[], $2::bigint[], $3::double precision[], $4::text[]) AS v (id, fence, seconds, attention)
      WHERE p.id = v.id AND p.fence = v.fence AND p.due_at IS NOT NULL`,
    [
      payouts.map(({ id }) => id),
      payouts.map(({ fence }) => fence),
      payouts.map(({ seconds }) => seconds),
      payouts.map(({ attention }) => attention),
    ],
  );
};

/** People have to look at it. What they have to look at already comes first. */
export const raiseAttention = async (sql: Pick<Sql, 'execute'>, id: string, attention: string): Promise<void> => {
  await sql.execute('UPDATE payouts SET attention = coalesce(attention, $2) WHERE id = $1', [id, attention]);
};

/** It has been looked at: it is gone on with at once, as if for the first time, and whoever had it in hand has lost it. */
export const takeUpPayout = async (tx: Pick<Tx, 'execute'>, id: string, ended: boolean): Promise<void> => {
  await tx.execute(
    `UPDATE payouts SET attention = NULL, asked = 0, lease_until = NULL, fence = fence + 1,
            due_at = CASE WHEN $2::boolean THEN NULL ELSE clock_timestamp() END
      WHERE id = $1`,
    [id, ended],
  );
};

/** They are looked at now, and whoever had them in hand has lost them. */
export const pokePayouts = async (sql: Pick<Sql, 'execute'>, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return;
  await sql.execute(
    'UPDATE payouts SET due_at = clock_timestamp(), lease_until = NULL, fence = fence + 1 WHERE id = ANY ($1::text[])',
    [ids],
  );
};

/** Those that wait for this merchant's account are looked at now. */
export const pokeWaiting = async (tx: Pick<Tx, 'execute'>, merchantId: string): Promise<void> => {
  await tx.execute(
    `UPDATE payouts SET due_at = clock_timestamp(), lease_until = NULL, fence = fence + 1, asked = 0
      WHERE merchant_id = $1 AND stage = 'WAITING'`,
    [merchantId],
  );
};

export const findPayout = async (sql: Sql, id: string): Promise<PayoutRow | undefined> => {
  const [row] = await sql.query<PayoutRow>(`SELECT ${COLUMNS} FROM payouts p WHERE p.id = $1`, [id]);
  return row;
};

export interface PayoutFilter {
  readonly merchantId: string | undefined;
  readonly currency: string | undefined;
  readonly status: string | undefined;
}

/** Newest first. */
export const listPayouts = async (
  sql: Sql,
  { merchantId, currency, status }: PayoutFilter,
  before: string | undefined,
  limit: number,
): Promise<readonly PayoutRow[]> =>
  await sql.query<PayoutRow>(
    `SELECT ${COLUMNS} FROM payouts p
      WHERE ($1::text IS NULL OR p.merchant_id = $1) AND ($2::text IS NULL OR p.currency = $2)
        AND ($3::text IS NULL OR p.status = $3) AND ($4::text IS NULL OR p.id < $4)
      ORDER BY p.id DESC LIMIT $5`,
    [merchantId ?? null, currency ?? null, status ?? null, before ?? null, limit],
  );
