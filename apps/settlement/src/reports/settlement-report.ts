import { REPORT_LINE_TYPES, type ReportLineType, SETTLEMENT_REPORT_COLUMNS } from '@payflow/contracts';

import {
  amountIn,
  currencyIn,
  type ImportedLine,
  LINES_PER_CHUNK,
  referenceIn,
  ReportFault,
  type ReportSummary,
  requireSign,
  RunningTotals,
  timeIn,
} from './imported-report.js';

type Column = (typeof SETTLEMENT_REPORT_COLUMNS)[number];
type Record = { readonly [Name in Column]: string };

/** A record of the file with the line that it ends on. */
export interface CsvRecord {
  readonly fields: readonly string[];
  readonly line: number;
}

/** The types that an acquirer's report has. */
const TYPES: ReadonlySet<string> = new Set<ReportLineType>(
  REPORT_LINE_TYPES.filter((type) => type !== 'payout' && type !== 'return'),
);

/**
 * An acquirer's settlement report, chunk by chunk. It is held against its totals as it goes by, so a fault may show only
 * when all chunks are out: keep none of them then.
 *
 * @throws ReportFault
 */
export async function* readSettlementReport(
  records: AsyncIterable<CsvRecord>,
  acquirer: string,
): AsyncGenerator<readonly ImportedLine[], ReportSummary> {
  const reading = new Reading(acquirer);
  let chunk: ImportedLine[] = [];
  for await (const { fields, line } of records) {
    const imported = reading.next(fields, line);
    if (imported === undefined) continue;
    chunk.push(imported);
    if (chunk.length < LINES_PER_CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  const summary = reading.end();
  if (chunk.length > 0) yield chunk;
  return summary;
}

/** What has been read so far: header, begin, lines, totals, end, and nothing behind it. */
class Reading {
  private stage: 'header' | 'begin' | 'lines' | 'totals' | 'ended' = 'header';
  private readonly sums = new RunningTotals();
  private readonly totalled = new Set<string>();
  private theirId = '';
  private from: Date | undefined;
  private to: Date | undefined;

  constructor(private readonly acquirer: string) {}

  next(fields: readonly string[], line: number): ImportedLine | undefined {
    if (this.stage === 'header') {
      if (fields.length !== SETTLEMENT_REPORT_COLUMNS.length || fields.join() !== SETTLEMENT_REPORT_COLUMNS.join())
        throw new ReportFault('malformed', `the columns are not ${SETTLEMENT_REPORT_COLUMNS.join()}`, line);
      this.stage = 'begin';
      return undefined;
    }
    const record = Object.fromEntries(
      SETTLEMENT_REPORT_COLUMNS.map((column, index) => [column, fields[index] ?? '']),
    ) as Record;
    if (this.stage === 'ended') throw new ReportFault('malformed', 'something follows the end', line);
    if (this.stage === 'begin') {
      this.begin(record, line);
      return undefined;
    }
    this.requireOwn(record, line);
    switch (record.record) {
      case 'line':
        return this.lineOf(record, line);
      case 'total':
        this.total(record, line);
        return undefined;
      case 'end':
        this.finish(record, line);
        return undefined;
      default:
        throw new ReportFault('malformed', 'the record is none of line, total, end', line);
    }
  }

  end(): ReportSummary {
    if (this.stage !== 'ended' || this.from === undefined || this.to === undefined)
      throw new ReportFault('truncated', 'the file has no end record: a part of it is missing');
    return {
      theirId: this.theirId,
      from: this.from,
      to: this.to,
      lineCount: this.sums.lineCount,
      totals: this.sums.all,
    };
  }

  private begin(record: Record, line: number): void {
    if (record.record !== 'begin') throw new ReportFault('malformed', 'the first record is not begin', line);
    if (record.acquirer !== this.acquirer)
      throw new ReportFault('other_source', `this is not a report of ${this.acquirer}`, line);
    this.theirId = referenceIn(record.report, 'report', line);
    this.from = timeIn(record.at, 'at', line);
    this.stage = 'lines';
  }

  /** Two files in one, or lines of another. */
  private requireOwn(record: Record, line: number): void {
    if (record.acquirer !== this.acquirer || record.report !== this.theirId)
      throw new ReportFault('other_source', 'the record belongs to another report', line);
  }

  private lineOf(record: Record, line: number): ImportedLine {
    if (this.stage !== 'lines') throw new ReportFault('malformed', 'a line follows the totals', line);
    if (!TYPES.has(record.type)) throw new ReportFault('invalid_line', 'type is not known', line);
    const imported: ImportedLine = {
      line,
      type: record.type as ReportLineType,
      reference: referenceIn(record.reference, 'reference', line),
      theirReference:
        record.acquirer_reference === '' ? null : referenceIn(record.acquirer_reference, 'acquirer_reference', line),
      paymentId: record.payment_id === '' ? null : referenceIn(record.payment_id, 'payment_id', line),
      amountMinor: amountIn(record.amount, 'amount', line),
      currency: currencyIn(record.currency, line),
      feeMinor: amountIn(record.fee, 'fee', line),
      at: timeIn(record.at, 'at', line),
    };
    requireSign(imported);
    this.sums.add(imported);
    return imported;
  }

  private total(record: Record, line: number): void {
    this.stage = 'totals';
    const currency = currencyIn(record.currency, line);
    if (this.totalled.has(currency)) throw new ReportFault('malformed', 'the currency has two totals', line);
    this.totalled.add(currency);
    const { count, amountMinor, feeMinor } = this.sums.of(currency);
    if (record.count !== String(count))
      throw new ReportFault('wrong_total', 'the count is not that of the lines', line);
    // Sums may have more digits than an amount.
    if (record.amount !== amountMinor.toString() || record.fee !== feeMinor.toString())
      throw new ReportFault('wrong_total', 'the total is not the sum of the lines', line);
  }

  private finish(record: Record, line: number): void {
    const missing = this.sums.currencies.find((currency) => !this.totalled.has(currency));
    if (missing !== undefined) throw new ReportFault('wrong_total', `${missing} has lines and no total`, line);
    if (record.count !== String(this.sums.lineCount))
      throw new ReportFault('wrong_total', 'the count is not that of the lines', line);
    this.to = timeIn(record.at, 'at', line);
    this.stage = 'ended';
  }
}
