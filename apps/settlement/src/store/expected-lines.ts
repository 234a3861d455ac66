import type { ReportLineType } from '@payflow/contracts';
import type { Tx } from '@payflow/postgres';

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

/** What our books have of a line a second time. No report will have it, so it is raised as missing there. */
export const BESIDE = ':again';

const COLUMNS = 'source, type, reference, payment_id, merchant_id, amount_minor, currency, occurred_at';
const LINES = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[])
  AS line (${COLUMNS})`;

/**
 * What our events say. Told again, it is the same line: what a correction has made of it stays. Told after a correction had
 * brought it in, it is in the ledger twice.
 */
export const insertExpectedLines = async (tx: Tx, lines: readonly ExpectedLine[]): Promise<void> => {
  const columns = [
    lines.map(({ source }) => source),
    lines.map(({ type }) => type),
    lines.map(({ reference }) => reference),
    lines.map(({ paymentId }) => paymentId),
    lines.map(({ merchantId }) => merchantId),
    lines.map(({ amountMinor }) => amountMinor),
    lines.map(({ currency }) => currency),
    lines.map(({ occurredAt }) => occurredAt),
  ];
  await tx.execute(
    `INSERT INTO expected_lines (${COLUMNS}) SELECT * FROM ${LINES} ON CONFLICT (source, type, reference) DO NOTHING`,
    columns,
  );
  // Behind it, so that a correction at the same moment has been waited for and is seen.
  await tx.execute(
    `INSERT INTO expected_lines (${COLUMNS})
     SELECT source, type, line.reference || '${BESIDE}', line.payment_id, line.merchant_id, line.amount_minor, line.currency,
            line.occurred_at
       FROM ${LINES} JOIN expected_lines e USING (source, type, reference) WHERE e.by_correction
     ON CONFLICT (source, type, reference) DO NOTHING`,
    columns,
  );
};

interface TheirLine extends ExpectedLine {
  readonly feeMinor: bigint;
  readonly seenIn: string | null;
}

/** A correction was posted of a line that our books did not have. Our event may have come meanwhile: then they have it twice. */
export const bringInLine = async (tx: Tx, line: TheirLine): Promise<void> => {
  if (await insertCorrected(tx, line)) return;
  await insertCorrected(tx, { ...line, reference: `${line.reference}${BESIDE}`, seenIn: null });
};

const insertCorrected = async (tx: Tx, line: TheirLine): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO expected_lines (${COLUMNS}, fee_minor, seen_in, by_correction)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, true) ON CONFLICT (source, type, reference) DO NOTHING`,
    [
      line.source,
      line.type,
      line.reference,
      line.paymentId,
      line.merchantId,
      line.amountMinor,
      line.currency,
      line.occurredAt,
      line.feeMinor,
      line.seenIn,
    ],
  )) === 1;

/** From now on our books say this of a line that they have: a correction was posted. */
export const changeExpectedLine = async (
  tx: Tx,
  { source, type, reference }: Pick<ExpectedLine, 'source' | 'type' | 'reference'>,
  { amountMinor, currency, feeMinor }: KnownLine,
): Promise<void> => {
  await tx.execute(
    `UPDATE expected_lines SET amount_minor = $4, currency = $5, fee_minor = $6
      WHERE source = $1 AND type = $2 AND reference = $3`,
    [source, type, reference, amountMinor, currency, feeMinor],
  );
};

export interface KnownLine {
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly feeMinor: bigint;
}

/** Neither another correction nor a comparison changes it until the transaction ends. */
export const lockExpectedLine = async (
  tx: Tx,
  { source, type, reference }: Pick<ExpectedLine, 'source' | 'type' | 'reference'>,
): Promise<KnownLine | undefined> => {
  const [row] = await tx.query<KnownLine>(
    `SELECT amount_minor AS "amountMinor", currency, fee_minor AS "feeMinor" FROM expected_lines
      WHERE source = $1 AND type = $2 AND reference = $3 FOR UPDATE`,
    [source, type, reference],
  );
  return row;
};
