import { type Currency, majorFromMinor } from '@payflow/kernel';
import { XMLBuilder } from 'fast-xml-parser';

import { type IssuedLine, type IssuedReport, totalsOf } from './issued-report.js';

/** ISO 20022 BankToCustomerStatementV08. */
const NAMESPACE = 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08';

/** Of the account as long as nothing has moved: a statement is of an account, and camt.053 wants one at least. */
const FIRST_CURRENCY = 'USD';

// It is to move to a package of its own, and is the same there.
// eslint-disable-next-line @typescript-eslint/no-deprecated
const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  format: true,
  suppressEmptyNode: true,
});

/**
 * A camt.053 document with one statement for each currency. `openings` are the balances at the period's start; money that
 * leaves is a debit, and a fee is charged within its entry (ChrgInclInd).
 *
 * @param totalError what each closing balance is wrong by
 */
export const bankStatementOf = (
  report: IssuedReport,
  lines: readonly IssuedLine[],
  openings: ReadonlyMap<string, bigint>,
  createdAt: Date,
  totalError: bigint,
): string => {
  const totals = totalsOf(lines);
  const moved = [...new Set([...openings.keys(), ...totals.keys()])].sort();
  const currencies = moved.length === 0 ? [FIRST_CURRENCY] : moved;
  const statements = currencies.map((currency, index) => {
    const opening = openings.get(currency) ?? 0n;
    const { amountMinor = 0n, feeMinor = 0n } = totals.get(currency) ?? {};
    const own = lines.filter((line) => line.currency === currency);
    return {
      Id: `${report.reportId}-${index + 1}`,
      CreDtTm: createdAt.toISOString(),
      FrToDt: { FrDtTm: report.from.toISOString(), ToDtTm: report.to.toISOString() },
      Acct: {
        Id: { Othr: { Id: `payflow-${currency}` } },
        Ccy: currency,
        Svcr: { FinInstnId: { Othr: { Id: report.issuer } } },
      },
      Bal: [
        balanceOf('OPBD', opening, currency, report.from),
        balanceOf('CLBD', opening + amountMinor - feeMinor + totalError, currency, report.to),
      ],
      TxsSummry: { TtlNtries: { NbOfNtries: String(own.length) } },
      ...(own.length === 0 ? {} : { Ntry: own.map(entryOf) }),
    };
  });
  const document = {
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    Document: {
      '@xmlns': NAMESPACE,
      BkToCstmrStmt: { GrpHdr: { MsgId: report.reportId, CreDtTm: createdAt.toISOString() }, Stmt: statements },
    },
  };
  return builder.build(document);
};

const balanceOf = (code: string, minor: bigint, currency: string, at: Date) => ({
  Tp: { CdOrPrtry: { Cd: code } },
  Amt: amountOf(minor, currency),
  CdtDbtInd: directionOf(minor),
  Dt: { DtTm: at.toISOString() },
});

/** What is booked has the charge in it. */
const entryOf = (line: IssuedLine) => {
  const booked = line.amountMinor - line.feeMinor;
  const { currency } = line;
  const at = { DtTm: line.at.toISOString() };
  return {
    Amt: amountOf(booked, currency),
    CdtDbtInd: directionOf(booked),
    Sts: { Cd: 'BOOK' },
    BookgDt: at,
    ValDt: at,
    AcctSvcrRef: line.ownReference,
    BkTxCd: { Prtry: { Cd: line.type === 'return' ? 'RRTN' : 'ICDT' } },
    ...(line.feeMinor === 0n ? {} : { Chrgs: chargeOf(line.feeMinor, currency) }),
    NtryDtls: {
      TxDtls: { Refs: { EndToEndId: line.reference }, Amt: amountOf(booked, currency), CdtDbtInd: directionOf(booked) },
    },
  };
};

const chargeOf = (minor: bigint, currency: string) => ({
  TtlChrgsAndTaxAmt: amountOf(minor, currency),
  Rcrd: { Amt: amountOf(minor, currency), CdtDbtInd: 'DBIT', ChrgInclInd: 'true' },
});

const directionOf = (minor: bigint): 'CRDT' | 'DBIT' => (minor < 0n ? 'DBIT' : 'CRDT');

/** Without a sign, which is told beside it. */
const amountOf = (minor: bigint, currency: string) => ({
  '@Ccy': currency,
  '#text': majorFromMinor({ amountMinor: minor < 0n ? -minor : minor, currency: currency as Currency }),
});
