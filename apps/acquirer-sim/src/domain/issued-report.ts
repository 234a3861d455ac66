import type { InjectedReportError, ReportLineType } from '@payflow/contracts';
import { unreachable } from '@payflow/kernel';

/** A line of a settlement report or a statement. Signed: what the issuer took for us is above zero. */
export interface IssuedLine {
  readonly type: ReportLineType;
  /** Ours, as far as the issuer was told one. */
  readonly reference: string;
  readonly ownReference: string;
  readonly paymentId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** What the issuer keeps of it. */
  readonly feeMinor: bigint;
  readonly at: Date;
}

/** What a report is about. */
export interface IssuedReport {
  readonly reportId: string;
  /** The acquirer's or the bank's name. */
  readonly issuer: string;
  readonly from: Date;
  readonly to: Date;
}

/** An error that the issuer is told to make. */
export interface ReportError {
  readonly errorId: bigint;
  readonly kind: InjectedReportError;
  readonly reference: string | null;
}

export interface Spoiled {
  readonly lines: readonly IssuedLine[];
  /** Which errors were made; the others found no line. */
  readonly made: readonly ReportError[];
}

const WRONG_AMOUNT_MINOR = 1n;
const WRONG_FEE_MINOR = 25n;

/** The lines with one error after another in them, each in a line of its own. */
export const spoil = (lines: readonly IssuedLine[], errors: readonly ReportError[]): Spoiled => {
  const touched = new Set<string>();
  const made: ReportError[] = [];
  let current = [...lines];
  for (const error of errors) {
    const index = current.findIndex(
      ({ type, reference }) =>
        !touched.has(keyOf(type, reference)) && (error.reference === null || error.reference === reference),
    );
    const line = current[index];
    if (line === undefined) continue;
    made.push(error);
    touched.add(keyOf(line.type, line.reference));
    current = current.toSpliced(index, 1, ...inPlaceOf(line, error));
  }
  return { lines: current, made };
};

const keyOf = (type: string, reference: string): string => `${type} ${reference}`;

const inPlaceOf = (line: IssuedLine, { kind, errorId }: ReportError): readonly IssuedLine[] => {
  const further = line.amountMinor < 0n ? -WRONG_AMOUNT_MINOR : WRONG_AMOUNT_MINOR;
  switch (kind) {
    case 'drop_line':
      return [];
    case 'unknown_line':
      return [line, { ...line, ...unknownOf(errorId), paymentId: null }];
    case 'amount':
      return [{ ...line, amountMinor: line.amountMinor + further }];
    case 'currency':
      return [{ ...line, currency: line.currency === 'EUR' ? 'USD' : 'EUR' }];
    case 'fee':
      return [{ ...line, feeMinor: line.feeMinor + WRONG_FEE_MINOR }];
    case 'duplicate':
      return [line, line];
    case 'wrong_total':
    case 'truncated':
      // Errors of the file, made when it is written.
      return [line];
    default:
      return unreachable(kind);
  }
};

/** A reference that nobody has given. */
const unknownOf = (errorId: bigint): Pick<IssuedLine, 'reference' | 'ownReference'> => {
  const suffix = errorId.toString().padStart(26, '0');
  return { reference: `cap_${suffix}`, ownReference: `unknown-${suffix}` };
};

/** What the lines of each currency add up to, by currency. */
export const totalsOf = (
  lines: readonly IssuedLine[],
): ReadonlyMap<string, { readonly count: number; readonly amountMinor: bigint; readonly feeMinor: bigint }> => {
  const totals = new Map<string, { count: number; amountMinor: bigint; feeMinor: bigint }>();
  for (const { currency, amountMinor, feeMinor } of lines) {
    const total = totals.get(currency) ?? { count: 0, amountMinor: 0n, feeMinor: 0n };
    totals.set(currency, {
      count: total.count + 1,
      amountMinor: total.amountMinor + amountMinor,
      feeMinor: total.feeMinor + feeMinor,
    });
  }
  return new Map([...totals].sort(([a], [b]) => (a < b ? -1 : 1)));
};
