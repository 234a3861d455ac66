/** A wallet as decisions see it: everything but its balance, which only the ledger knows. */
export interface Wallet {
  readonly id: string;
  readonly ownerId: string;
  readonly currency: string;
  readonly status: 'ACTIVE' | 'FROZEN';
  /** Of this wallet, where staff set one. */
  readonly transferMaxMinor: bigint | null;
  readonly dayMaxMinor: bigint | null;
  /** The UTC day (YYYY-MM-DD) that `spentMinor` counts. */
  readonly spentOn: string | null;
  readonly spentMinor: bigint;
}

/** What the user events said of a person. */
export interface Owner {
  readonly userId: string;
  readonly status: 'ACTIVE' | 'BLOCKED';
  readonly verified: boolean;
}

/** What holds where staff set nothing else. */
export interface Limits {
  readonly transferMaxMinor: bigint;
  readonly dayMaxMinor: bigint;
}

/** The UTC day of a time, for the limit of a day. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

export const limitsOf = (wallet: Wallet, defaults: Limits): Limits => ({
  transferMaxMinor: wallet.transferMaxMinor ?? defaults.transferMaxMinor,
  dayMaxMinor: wallet.dayMaxMinor ?? defaults.dayMaxMinor,
});

/** What left the wallet on this day, what is under way included. */
export const spentOn = (wallet: Wallet, day: string): bigint => (wallet.spentOn === day ? wallet.spentMinor : 0n);
