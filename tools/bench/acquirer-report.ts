/** A line of an acquirer's settlement report (docs/reconciliation.md). */
export interface ReportLine {
  readonly reference: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  readonly fee: number;
  readonly at: Date;
}

export interface AcquirerReport {
  readonly acquirer: string;
  /** How the acquirer calls it. */
  readonly report: string;
  readonly from: Date;
  readonly to: Date;
  readonly lines: readonly ReportLine[];
}

const HEADER = 'record,acquirer,report,type,reference,acquirer_reference,payment_id,amount,currency,fee,at,count';

/** The report as a file: captures, the totals of each currency, the end. */
export const acquirerReport = ({ acquirer, report, from, to, lines }: AcquirerReport): string => {
  const own = `${acquirer},${report}`;
  const totals = new Map<string, { count: number; amount: number; fee: number }>();
  const records = lines.map(({ reference, paymentId, amount, currency, fee, at }) => {
    const total = totals.get(currency) ?? { count: 0, amount: 0, fee: 0 };
    totals.set(currency, { count: total.count + 1, amount: total.amount + amount, fee: total.fee + fee });
    const subject = `capture,${reference},ar_${reference},${paymentId}`;
    return `line,${own},${subject},${String(amount)},${currency},${String(fee)},${at.toISOString()},`;
  });
  return [
    HEADER,
    `begin,${own},,,,,,,,${from.toISOString()},`,
    ...records,
    ...[...totals].map(
      ([currency, { count, amount, fee }]) =>
        `total,${own},,,,,${String(amount)},${currency},${String(fee)},,${String(count)}`,
    ),
    `end,${own},,,,,,,,${to.toISOString()},${String(lines.length)}`,
    '',
  ].join('\n');
};
