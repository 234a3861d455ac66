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

/** What an exception has recorded, and the other side's line as it was then. */
export interface RaisedDifference {
  readonly kind: SettlementExceptionKind;
  readonly expectedMinor: bigint | null;
  readonly expectedCurrency: string | null;
  readonly theirs: Side | undefined;
}

/**
 * What has become of a difference since it was raised; undefined: it is the same. A correction of another one would bring the
 * books apart.
 *
 * @param now the line as it stands in our books, and as the latest report of its time has it
 */
export const changeOf = (
  raised: RaisedDifference,
  now: { readonly ours: Side | undefined; readonly theirs: Side | undefined },
): string | undefined => {
  switch (raised.kind) {
    case 'missing_here':
      return now.ours === undefined ? changeThere(raised, now.theirs, WHOLE) : 'Our books have the line now.';
    case 'missing_there':
      return now.theirs === undefined ? changeHere(raised, now.ours, 'amountMinor') : 'A report has the line now.';
    case 'duplicate':
      return changeThere(raised, now.theirs, WHOLE);
    case 'currency':
      return changeHere(raised, now.ours, 'amountMinor') ?? changeThere(raised, now.theirs, WHOLE);
    case 'amount':
      return changeHere(raised, now.ours, 'amountMinor') ?? changeThere(raised, now.theirs, ['amountMinor']);
    case 'fee':
      return changeHere(raised, now.ours, 'feeMinor') ?? changeThere(raised, now.theirs, ['feeMinor']);
  }
};

type Minor = 'amountMinor' | 'feeMinor';
const WHOLE: readonly Minor[] = ['amountMinor', 'feeMinor'];

const changeHere = (
  { expectedMinor, expectedCurrency }: RaisedDifference,
  ours: Side | undefined,
  field: Minor,
): string | undefined =>
  ours?.[field] === (expectedMinor ?? undefined) && ours?.currency === (expectedCurrency ?? undefined)
    ? undefined
    : `Our books say ${said(ours)} now.`;

const changeThere = (
  { theirs: then }: RaisedDifference,
  now: Side | undefined,
  fields: readonly Minor[],
): string | undefined => {
  if (now === undefined) return 'The latest report of that time does not have the line.';
  return now.currency === then?.currency && fields.every((field) => now[field] === then[field])
    ? undefined
    : `The other side says ${said(now)} now, and said ${said(then)}.`;
};

const said = (side: Side | undefined): string =>
  side === undefined ? 'nothing' : `${side.amountMinor} ${side.currency}, fee ${side.feeMinor}`;
