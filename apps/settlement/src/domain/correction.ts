import type { SettlementExceptionKind } from '@payflow/contracts';

/** Debit `from`, credit `to`. */
export interface CorrectionPosting {
  readonly from: string;
  readonly to: string;
  /** Minor units, above zero. */
  readonly amount: number;
  readonly currency: string;
}

/** What one side says of a line; the sign as in reports. */
export interface Side {
  readonly amountMinor: bigint;
  readonly feeMinor: bigint;
  readonly currency: string;
}

/** Where differences go that somebody has accepted. Its balance is what reconciliation has cost or brought in. */
export const DIFFERENCES_ACCOUNT = 'settlement:differences';

/** The account in which our books have what this side owes us or keeps for us. */
export const accountOfSource = (source: string): string => {
  const [kind = '', name = ''] = source.split(':');
  return kind === 'bank' ? `bank:${name}:cash` : `psp:${name}:receivable`;
};

/**
 * The postings after which our books say of this line what the other side says. A debit of the source's account makes it owe us
 * more.
 */
export const correctionPostings = (
  kind: SettlementExceptionKind,
  source: string,
  ours: Side | undefined,
  theirs: Side | undefined,
): readonly CorrectionPosting[] =>
  movesOf(kind, ours, theirs).flatMap(({ minor, currency }) => {
    if (minor === 0n) return [];
    const account = accountOfSource(source);
    const [from, to] = minor > 0n ? [account, DIFFERENCES_ACCOUNT] : [DIFFERENCES_ACCOUNT, account];
    return [{ from, to, amount: Number(minor > 0n ? minor : -minor), currency }];
  });

interface Move {
  readonly minor: bigint;
  readonly currency: string;
}

const movesOf = (kind: SettlementExceptionKind, ours: Side | undefined, theirs: Side | undefined): readonly Move[] => {
  const added =
    theirs === undefined ? [] : [{ minor: theirs.amountMinor - theirs.feeMinor, currency: theirs.currency }];
  const taken = ours === undefined ? [] : [{ minor: ours.feeMinor - ours.amountMinor, currency: ours.currency }];
  switch (kind) {
    case 'missing_here':
    case 'duplicate':
      return added;
    case 'missing_there':
      return taken;
    case 'currency':
      return [...taken, ...added];
    case 'amount':
      return ours === undefined || theirs === undefined
        ? []
        : [{ minor: theirs.amountMinor - ours.amountMinor, currency: theirs.currency }];
    case 'fee':
      return ours === undefined || theirs === undefined
        ? []
        : [{ minor: ours.feeMinor - theirs.feeMinor, currency: theirs.currency }];
  }
};

/** What our books say of the line when the correction is posted. Undefined: as before. */
export const sideAfterCorrection = (
  kind: SettlementExceptionKind,
  ours: Side | undefined,
  theirs: Side | undefined,
): Side | undefined => {
  switch (kind) {
    case 'duplicate':
      return undefined;
    case 'missing_here':
    case 'currency':
      return theirs;
    case 'missing_there':
      return ours && { ...ours, amountMinor: 0n, feeMinor: 0n };
    case 'amount':
      return ours && theirs && { ...ours, amountMinor: theirs.amountMinor };
    case 'fee':
      return ours && theirs && { ...ours, feeMinor: theirs.feeMinor };
  }
};
