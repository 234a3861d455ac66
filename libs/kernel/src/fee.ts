/** What a merchant pays per captured payment. */
export interface FeeTerms {
  /** Share of the captured amount in 1/100 of a percent: 290 is 2.9 %. */
  readonly basisPoints: number;
  /** Charged once per payment, in minor units of the payment's currency. */
  readonly fixedMinor: bigint;
}

const BASIS_POINTS_PER_UNIT = 10_000n;

/** n / d rounded to the nearest integer, ties to even (ISO 80000-1 rule A). n ≥ 0, d > 0. */
export const divideHalfEven = (numerator: bigint, denominator: bigint): bigint => {
  const quotient = numerator / denominator;
  const doubled = (numerator % denominator) * 2n;
  if (doubled > denominator || (doubled === denominator && quotient % 2n === 1n)) return quotient + 1n;
  return quotient;
};

/** The whole fee on an amount captured so far; never more than the amount itself. Nothing captured, nothing owed. */
export const feeOnTotal = (capturedMinor: bigint, terms: FeeTerms): bigint => {
  if (capturedMinor === 0n) return 0n;
  const fee = divideHalfEven(capturedMinor * BigInt(terms.basisPoints), BASIS_POINTS_PER_UNIT) + terms.fixedMinor;
  return fee < capturedMinor ? fee : capturedMinor;
};

/**
 * The fee of one capture among several: the fee on the new total less the fee already charged, so that the fees of
 * many partial captures add up to the fee of one full capture, and the fixed part is charged once.
 */
export const feeOnCapture = (capturedBeforeMinor: bigint, captureMinor: bigint, terms: FeeTerms): bigint =>
  feeOnTotal(capturedBeforeMinor + captureMinor, terms) - feeOnTotal(capturedBeforeMinor, terms);
