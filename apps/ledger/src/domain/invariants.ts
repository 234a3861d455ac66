import type { Direction } from './journal.js';

/** A leg as these functions look at it. They serve the property tests, the audit, and as the reading of the database's constraints. */
export interface Leg {
  readonly account: string;
  readonly currency: string;
  readonly direction: Direction;
  readonly amountMinor: bigint;
  readonly balanceAfterMinor: bigint;
}

/** credits − debits. */
export const signedMinor = ({ direction, amountMinor }: Pick<Leg, 'direction' | 'amountMinor'>): bigint =>
  direction === 'credit' ? amountMinor : -amountMinor;

/** Invariant 1: debits equal credits, per currency. Holds for one transaction and for all of them. */
export const currenciesOutOfBalance = (legs: readonly Leg[]): readonly string[] => {
  const sums = new Map<string, bigint>();
  for (const leg of legs) sums.set(leg.currency, (sums.get(leg.currency) ?? 0n) + signedMinor(leg));
  return [...sums].filter(([, sum]) => sum !== 0n).map(([currency]) => currency);
};

/** Each balance_after is the one before it plus the leg, from zero. The indexes of those that are not. `legs` in journal order. */
export const brokenBalanceChain = (legs: readonly Leg[]): readonly number[] => {
  const balances = new Map<string, bigint>();
  return legs.flatMap((leg, index) => {
    const key = `${leg.account} ${leg.currency}`;
    const expected = (balances.get(key) ?? 0n) + signedMinor(leg);
    balances.set(key, leg.balanceAfterMinor);
    return leg.balanceAfterMinor === expected ? [] : [index];
  });
};

/** No leg leaves its account below the floor. The indexes of those that do. */
export const legsBelowFloor = (
  legs: readonly Leg[],
  floorOf: (account: string, currency: string) => bigint | null,
): readonly number[] =>
  legs.flatMap((leg, index) => {
    const floor = floorOf(leg.account, leg.currency);
    return floor !== null && leg.direction === 'debit' && leg.balanceAfterMinor < floor ? [index] : [];
  });
