import type { Currency, MerchantId, PaymentId } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

import type { PaymentSettled } from '../domain/events.js';
import type { Metadata, Payment } from '../domain/payment.js';

/** As much of a payment as a settlement needs. */
export interface SettledPaymentRow {
  readonly paymentId: PaymentId;
  readonly merchantId: MerchantId;
  readonly userId: string | null;
  readonly currency: Currency;
  readonly metadata: Metadata;
  readonly version: number;
}

/** Locks them until the transaction ends, in the order of their ids. Those that do not exist are not in the answer. */
export const lockSettledPayments = async (
  tx: Tx,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, SettledPaymentRow>> => {
  const rows = await tx.query<Omit<SettledPaymentRow, 'version'> & { readonly version: bigint }>(
    `SELECT id AS "paymentId", merchant_id AS "merchantId", user_id AS "userId", currency, metadata, version
       FROM payments WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE`,
    [paymentIds],
  );
  return new Map(rows.map((row) => [row.paymentId, { ...row, version: Number(row.version) }]));
};

/** Which settlements these payments are in already. */
export const findSettlements = async (
  sql: Sql,
  paymentIds: readonly string[],
): Promise<readonly { readonly payment_id: string; readonly settlement_id: string }[]> =>
  await sql.query('SELECT payment_id, settlement_id FROM payment_settlements WHERE payment_id = ANY ($1::text[])', [
    paymentIds,
  ]);

interface Settling {
  readonly subject: { readonly paymentId: string };
  readonly version: number;
  readonly event: PaymentSettled;
}

/** Nothing else of the row depends on what is settled. The last version of each payment counts. */
export const raiseVersions = async (tx: Tx, settled: readonly Settling[]): Promise<void> => {
  const last = new Map(settled.map((one) => [one.subject.paymentId, one]));
  await tx.execute(
    `UPDATE payments p SET version = v.version, updated_at = v.at
       FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS v (id, version, at) WHERE p.id = v.id`,
    [
      [...last.keys()],
      [...last.values()].map(({ version }) => version),
      [...last.values()].map(({ event }) => event.at),
    ],
  );
};

/** One settlement of a payment: a row of `payment_settlements`. */
export interface SettlementRow {
  readonly settlement_id: string;
  readonly acquirer: string;
  readonly gross_minor: bigint;
  readonly fee_minor: bigint;
  readonly net_minor: bigint;
  readonly settled_at: Date;
}

export const settlementRowsOf = ({ settlements }: Payment): readonly SettlementRow[] =>
  settlements.map(({ settlementId, acquirer, grossMinor, feeMinor, netMinor, settledAt }) => ({
    settlement_id: settlementId,
    acquirer,
    gross_minor: grossMinor,
    fee_minor: feeMinor,
    net_minor: netMinor,
    settled_at: settledAt,
  }));

export const insertSettlements = async (tx: Tx, settled: readonly Settling[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO payment_settlements
       (payment_id, settlement_id, acquirer, gross_minor, fee_minor, net_minor, settled_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[])`,
    [
      settled.map(({ subject }) => subject.paymentId),
      settled.map(({ event }) => event.settlementId),
      settled.map(({ event }) => event.acquirer),
      settled.map(({ event }) => event.grossMinor),
      settled.map(({ event }) => event.feeMinor),
      settled.map(({ event }) => event.netMinor),
      settled.map(({ event }) => event.at),
    ],
  );
};

export type SettlementJson = Readonly<
  Record<Exclude<keyof SettlementRow, 'settlement_id' | 'acquirer' | 'settled_at'>, number>
> &
  Readonly<Record<'settlement_id' | 'acquirer' | 'settled_at', string>>;

/** For a statement that reads a payment `p`: its settlements, null when there are none. */
export const SETTLEMENTS_JSON = `
  (SELECT json_agg(json_build_object('settlement_id', settlement_id, 'acquirer', acquirer, 'gross_minor', gross_minor,
                                     'fee_minor', fee_minor, 'net_minor', net_minor, 'settled_at', settled_at)
                   ORDER BY settled_at, settlement_id)
     FROM payment_settlements WHERE payment_id = p.id)`;

export const settlementRowsIn = (json: readonly SettlementJson[] | null): readonly SettlementRow[] =>
  (json ?? []).map((row) => ({
    settlement_id: row.settlement_id,
    acquirer: row.acquirer,
    gross_minor: BigInt(row.gross_minor),
    fee_minor: BigInt(row.fee_minor),
    net_minor: BigInt(row.net_minor),
    settled_at: new Date(row.settled_at),
  }));
