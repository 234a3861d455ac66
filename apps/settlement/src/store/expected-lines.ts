import type { ReportLineType } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A row of `expected_lines`: what our books say that the other side must tell of. */
export interface ExpectedLine {
  readonly source: string;
  readonly type: ReportLineType;
  readonly reference: string;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  /** Signed as in reports. */
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly occurredAt: Date;
}

/** Told again, it is the same line: what a correction has made of it stays. */
export const insertExpectedLines = async (tx: Tx, lines: readonly ExpectedLine[]): Promise<void> => {
  await tx.execute(
    `INSERT INTO expected_lines (source, type, reference, payment_id, merchant_id, amount_minor, currency, occurred_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[])
     ON CONFLICT (source, type, reference) DO NOTHING`,
    [
      lines.map(({ source }) => source),
      lines.map(({ type }) => type),
      lines.map(({ reference }) => reference),
      lines.map(({ paymentId }) => paymentId),
      lines.map(({ merchantId }) => merchantId),
      lines.map(({ amountMinor }) => amountMinor),
      lines.map(({ currency }) => currency),
      lines.map(({ occurredAt }) => occurredAt),
    ],
  );
};

/** From now on our books say what the other side said: a correction was posted. */
export const acceptTheirLine = async (
  tx: Tx,
  line: ExpectedLine & { readonly feeMinor: bigint; readonly seenIn: string | null },
): Promise<void> => {
  await tx.execute(
    `INSERT INTO expected_lines (source, type, reference, payment_id, merchant_id, amount_minor, currency, fee_minor, occurred_at, seen_in)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (source, type, reference) DO UPDATE
       SET amount_minor = excluded.amount_minor, currency = excluded.currency, fee_minor = excluded.fee_minor`,
    [
      line.source,
      line.type,
      line.reference,
      line.paymentId,
      line.merchantId,
      line.amountMinor,
      line.currency,
      line.feeMinor,
      line.occurredAt,
      line.seenIn,
    ],
  );
};

export interface KnownLine {
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly feeMinor: bigint;
}

export const findExpectedLine = async (
  sql: Sql,
  { source, type, reference }: Pick<ExpectedLine, 'source' | 'type' | 'reference'>,
): Promise<KnownLine | undefined> => {
  const [row] = await sql.query<KnownLine>(
    `SELECT amount_minor AS "amountMinor", currency, fee_minor AS "feeMinor" FROM expected_lines
      WHERE source = $1 AND type = $2 AND reference = $3`,
    [source, type, reference],
  );
  return row;
};
