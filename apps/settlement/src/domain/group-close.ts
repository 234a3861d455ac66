import { AMOUNT_MINOR_MAX, divideHalfEven } from '@payflow/kernel';

/** A merchant in a currency at the end of a run: what his batches netted, and what he has. */
export interface GroupToClose {
  readonly availableMinor: bigint;
  readonly batches: readonly { readonly id: string; readonly netMinor: bigint }[];
}

export interface ReserveRule {
  readonly basisPoints: number;
  readonly days: number;
}

/** What becomes of it. */
export interface GroupClose {
  readonly reserves: readonly { readonly settlementId: string; readonly amountMinor: bigint }[];
  /** Null: there is nothing, or too little: it stays where it is, a debt too. */
  readonly payoutMinor: bigint | null;
}

const BASIS_POINTS_PER_UNIT = 10_000n;

/** The part of a batch that is kept back, ties to even; of a batch that nets nothing, nothing. */
export const reserveOf = (netMinor: bigint, rule: ReserveRule | undefined): bigint =>
  rule === undefined || netMinor <= 0n
    ? 0n
    : divideHalfEven(netMinor * BigInt(rule.basisPoints), BASIS_POINTS_PER_UNIT);

/**
 * Keeps back what the rule says, and pays out all of the rest, when it is enough. No more is kept back than there is: a debt
 * from before is paid first.
 */
export const closeGroup = (
  { availableMinor, batches }: GroupToClose,
  rule: ReserveRule | undefined,
  minimumMinor: bigint,
): GroupClose => {
  const reserves: { settlementId: string; amountMinor: bigint }[] = [];
  let left = availableMinor;
  for (const { id, netMinor } of batches) {
    const wanted = reserveOf(netMinor, rule);
    const amountMinor = least(wanted, left, AMOUNT_MINOR_MAX);
    if (amountMinor <= 0n) continue;
    reserves.push({ settlementId: id, amountMinor });
    left -= amountMinor;
  }
  const payable = least(left, AMOUNT_MINOR_MAX);
  return { reserves, payoutMinor: payable > 0n && payable >= minimumMinor ? payable : null };
};

const least = (...amounts: readonly bigint[]): bigint =>
  amounts.reduce((least, amount) => (amount < least ? amount : least));
