import { SETTLEMENT_REPORT_COLUMNS } from '@payflow/contracts';

import { type IssuedLine, type IssuedReport, totalsOf } from './issued-report.js';

type Record = Partial<{ readonly [Column in (typeof SETTLEMENT_REPORT_COLUMNS)[number]]: string }>;

/** @param totalError what each total is wrong by */
export const settlementReportOf = (
  { reportId, issuer, from, to }: IssuedReport,
  lines: readonly IssuedLine[],
  totalError: bigint,
): string => {
  const of = { acquirer: issuer, report: reportId };
  const records: readonly Record[] = [
    Object.fromEntries(SETTLEMENT_REPORT_COLUMNS.map((column) => [column, column])),
    { ...of, record: 'begin', at: from.toISOString() },
    ...lines.map((line) => ({
      ...of,
      record: 'line',
      type: line.type,
      reference: line.reference,
      acquirer_reference: line.ownReference,
      payment_id: line.paymentId ?? '',
      amount: line.amountMinor.toString(),
      currency: line.currency,
      fee: line.feeMinor.toString(),
      at: line.at.toISOString(),
    })),
    ...[...totalsOf(lines)].map(([currency, { count, amountMinor, feeMinor }]) => ({
      ...of,
      record: 'total',
      amount: (amountMinor + totalError).toString(),
      currency,
      fee: feeMinor.toString(),
      count: String(count),
    })),
    { ...of, record: 'end', at: to.toISOString(), count: String(lines.length) },
  ];
  // RFC 4180, whose lines end in CRLF. No field here holds a comma, a quote or a line's end.
  return records
    .map((record) => `${SETTLEMENT_REPORT_COLUMNS.map((column) => record[column] ?? '').join(',')}\r\n`)
    .join('');
};
