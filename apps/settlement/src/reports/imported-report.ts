import type { ReportLineType } from '@payflow/contracts';
import { AMOUNT_MINOR_MAX, containsCardNumber, currencyOf } from '@payflow/kernel';

/** A line of a report as it was read. Signed as in `expected_lines`. */
export interface ImportedLine {
  /** Where in the file. */
  readonly line: number;
  readonly type: ReportLineType;
  readonly reference: string;
  readonly theirReference: string | null;
  readonly paymentId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly feeMinor: bigint;
  readonly at: Date;
}

export interface ReportTotal {
  readonly currency: string;
  readonly count: number;
  readonly amountMinor: bigint;
  readonly feeMinor: bigint;
}

/** What a whole report says of itself; it has been held against its lines. */
export interface ReportSummary {
  readonly theirId: string;
  readonly from: Date;
  readonly to: Date;
  readonly lineCount: number;
  readonly totals: readonly ReportTotal[];
}

/** So many lines are handed on at once. */
export const LINES_PER_CHUNK = 2_000;

/** The file cannot be taken, and why. Nothing that it says is to be believed then. */
export class ReportFault extends Error {
  override readonly name = 'ReportFault';

  constructor(
    readonly code:
      | 'malformed'
      | 'truncated'
      | 'other_source'
      | 'wrong_total'
      | 'invalid_line'
      | 'forbidden_construct'
      | 'too_large'
      | 'invalid_period',
    /** What is wrong, without the value itself: it may be anything. */
    message: string,
    /** Where; undefined: of the whole file. */
    readonly line?: number,
  ) {
    super(message);
  }
}

const PRINTABLE = /^[\x21-\x7e]+$/;
const REFERENCE_LENGTH_MAX = 64;

/** @throws ReportFault */
export const referenceIn = (text: string, column: string, line: number): string => {
  if (text.length > REFERENCE_LENGTH_MAX || !PRINTABLE.test(text))
    throw new ReportFault('invalid_line', `${column} is not 1 to ${REFERENCE_LENGTH_MAX} printable characters`, line);
  if (containsCardNumber(text)) throw new ReportFault('invalid_line', `${column} holds a card number`, line);
  return text;
};

/** @throws ReportFault */
export const amountIn = (text: string, column: string, line: number): bigint => {
  if (!/^-?\d{1,14}$/.test(text))
    throw new ReportFault('invalid_line', `${column} is not a number of minor units`, line);
  const minor = BigInt(text);
  if (minor > AMOUNT_MINOR_MAX || minor < -AMOUNT_MINOR_MAX)
    throw new ReportFault('invalid_line', `${column} is out of range`, line);
  return minor;
};

/** @throws ReportFault */
export const currencyIn = (text: string, line: number): string => {
  if (currencyOf(text) === undefined) throw new ReportFault('invalid_line', 'currency is not in ISO 4217', line);
  return text;
};

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** @throws ReportFault */
export const timeIn = (text: string, column: string, line: number): Date => {
  const at = new Date(text);
  if (!TIME.test(text) || Number.isNaN(at.getTime()))
    throw new ReportFault('invalid_line', `${column} is not a time by RFC 3339`, line);
  return at;
};

const ABOVE_ZERO: ReadonlySet<ReportLineType> = new Set([
  'capture',
  'refund_reversal',
  'chargeback_reversal',
  'return',
]);

/** @throws ReportFault */
export const requireSign = ({ type, amountMinor, feeMinor, line }: ImportedLine): void => {
  if (amountMinor === 0n || amountMinor > 0n !== ABOVE_ZERO.has(type))
    throw new ReportFault('invalid_line', `the amount of a ${type} has the wrong sign`, line);
  if (feeMinor < 0n) throw new ReportFault('invalid_line', 'the fee is below zero', line);
};

/** Adds up what a report's lines say, currency by currency. */
export class RunningTotals {
  private readonly sums = new Map<string, { count: number; amountMinor: bigint; feeMinor: bigint }>();
  lineCount = 0;

  add({ currency, amountMinor, feeMinor }: ImportedLine): void {
    const sum = this.sums.get(currency) ?? { count: 0, amountMinor: 0n, feeMinor: 0n };
    sum.count += 1;
    sum.amountMinor += amountMinor;
    sum.feeMinor += feeMinor;
    this.sums.set(currency, sum);
    this.lineCount += 1;
  }

  of(currency: string): Omit<ReportTotal, 'currency'> {
    return this.sums.get(currency) ?? { count: 0, amountMinor: 0n, feeMinor: 0n };
  }

  get currencies(): readonly string[] {
    return [...this.sums.keys()].sort();
  }

  get all(): readonly ReportTotal[] {
    return this.currencies.map((currency) => ({ currency, ...this.of(currency) }));
  }
}

/** Clocks differ, by less than this. */
const CLOCK_DIFFERENCE_MS = 300_000;

/** A period that has not ended cannot have been reported. @throws ReportFault */
export const requirePast = ({ from, to }: ReportSummary, now: Date): void => {
  if (from >= to) throw new ReportFault('invalid_period', 'the period ends before it begins');
  if (to.getTime() > now.getTime() + CLOCK_DIFFERENCE_MS)
    throw new ReportFault('invalid_period', 'the period ends in the future');
};

/** What has not happened cannot have been reported. @throws ReportFault */
export const requirePastLines = (lines: readonly ImportedLine[], now: Date): void => {
  const future = lines.find(({ at }) => at.getTime() > now.getTime() + CLOCK_DIFFERENCE_MS);
  if (future !== undefined) throw new ReportFault('invalid_line', 'the line is of the future', future.line);
};
