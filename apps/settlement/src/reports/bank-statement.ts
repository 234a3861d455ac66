import { type Currency, minorFromMajor } from '@payflow/kernel';

import { parseXml, type XmlNode } from './guarded-xml.js';
import {
  currencyIn,
  type ImportedLine,
  referenceIn,
  ReportFault,
  type ReportSummary,
  requireSign,
  RunningTotals,
  timeIn,
} from './imported-report.js';

const NAMESPACE = /^urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(?:0[2-9]|1[0-3])$/;

const STATEMENTS = 'Document.BkToCstmrStmt.Stmt';
const LISTS: ReadonlySet<string> = new Set([
  STATEMENTS,
  `${STATEMENTS}.Bal`,
  `${STATEMENTS}.Ntry`,
  `${STATEMENTS}.Ntry.NtryDtls`,
  `${STATEMENTS}.Ntry.NtryDtls.TxDtls`,
  `${STATEMENTS}.Ntry.Chrgs.Rcrd`,
]);

export interface BankStatement {
  readonly summary: ReportSummary;
  readonly lines: readonly ImportedLine[];
}

/**
 * A camt.053 document (versions 02 to 13): booked entries with one transaction each, and the balances that they must lead
 * from and to. A line's number is that of its entry, from 1 through all statements.
 *
 * @param bank its name at the servicer of the account
 * @throws ReportFault
 */
export const readBankStatement = (text: string, bank: string): BankStatement => {
  const document = at(parseXml(text, LISTS), 'Document');
  if (!isStatement(document)) throw new ReportFault('malformed', 'the document is not a camt.053 statement');
  const message = at(document, 'BkToCstmrStmt');
  const theirId = referenceIn(required(message, 'GrpHdr', 'MsgId'), 'MsgId', 1);
  const sums = new RunningTotals();
  const lines: ImportedLine[] = [];
  const periods: { readonly from: Date; readonly to: Date }[] = [];
  for (const statement of listAt(message, 'Stmt')) {
    periods.push(readStatement(statement, bank, lines, sums));
  }
  const [period] = periods;
  if (period === undefined) throw new ReportFault('malformed', 'the document has no statement');
  if (periods.some(({ from, to }) => +from !== +period.from || +to !== +period.to))
    throw new ReportFault('invalid_period', 'the statements are of different periods');
  return { summary: { theirId, ...period, lineCount: sums.lineCount, totals: sums.all }, lines };
};

/** By its namespace, with a prefix or without. */
const isStatement = (document: XmlNode): boolean =>
  typeof document !== 'string' &&
  Object.entries(document).some(
    ([name, value]) => /^@xmlns(?::|$)/.test(name) && typeof value === 'string' && NAMESPACE.test(value),
  );

const readStatement = (
  statement: XmlNode,
  bank: string,
  lines: ImportedLine[],
  sums: RunningTotals,
): { readonly from: Date; readonly to: Date } => {
  const before = lines.length;
  const where = before + 1;
  if (required(statement, 'Acct', 'Svcr', 'FinInstnId', 'Othr', 'Id') !== bank)
    throw new ReportFault('other_source', `this is not a statement of ${bank}`, where);
  const currency = currencyIn(required(statement, 'Acct', 'Ccy'), where);
  const from = timeIn(required(statement, 'FrToDt', 'FrDtTm'), 'FrDtTm', where);
  const to = timeIn(required(statement, 'FrToDt', 'ToDtTm'), 'ToDtTm', where);
  const opening = balanceOf(statement, 'OPBD', where);
  const closing = balanceOf(statement, 'CLBD', where);
  let booked = 0n;
  for (const entry of listAt(statement, 'Ntry')) {
    const line = lineOf(entry, lines.length + 1);
    booked += line.amountMinor - line.feeMinor;
    sums.add(line);
    lines.push(line);
  }
  const count = textOf(statement, 'TxsSummry', 'TtlNtries', 'NbOfNtries');
  if (count !== undefined && count !== String(lines.length - before))
    throw new ReportFault('wrong_total', 'NbOfNtries is not the number of entries', where);
  // An entry in a foreign currency is an error of the bank: it is compared, and the balances are left alone.
  const foreign = lines.slice(before).some((line) => line.currency !== currency);
  if (!foreign && opening + booked !== closing)
    throw new ReportFault('wrong_total', 'the entries do not lead from the opening to the closing balance', where);
  return { from, to };
};

const balanceOf = (statement: XmlNode, code: 'OPBD' | 'CLBD', line: number): bigint => {
  const balance = listAt(statement, 'Bal').find((one) => textOf(one, 'Tp', 'CdOrPrtry', 'Cd') === code);
  if (balance === undefined) throw new ReportFault('truncated', `the statement has no ${code} balance`, line);
  return signedAmountOf(balance, line).minor;
};

const lineOf = (entry: XmlNode, line: number): ImportedLine => {
  if (required(entry, 'Sts', 'Cd') !== 'BOOK') throw new ReportFault('invalid_line', 'the entry is not booked', line);
  const transactions = listAt(entry, 'NtryDtls').flatMap((details) => listAt(details, 'TxDtls'));
  const [transaction] = transactions;
  if (transaction === undefined || transactions.length > 1)
    throw new ReportFault('invalid_line', 'the entry has not exactly one transaction', line);
  const { minor, currency } = signedAmountOf(entry, line);
  const feeMinor = includedFeesOf(entry, currency, line);
  const theirReference = textOf(entry, 'AcctSvcrRef');
  const imported: ImportedLine = {
    line,
    type: minor < 0n ? 'payout' : 'return',
    reference: referenceIn(required(transaction, 'Refs', 'EndToEndId'), 'EndToEndId', line),
    theirReference: theirReference === undefined ? null : referenceIn(theirReference, 'AcctSvcrRef', line),
    paymentId: null,
    amountMinor: minor + feeMinor,
    currency,
    feeMinor,
    at: timeIn(required(entry, 'BookgDt', 'DtTm'), 'BookgDt', line),
  };
  requireSign(imported);
  return imported;
};

const includedFeesOf = (entry: XmlNode, currency: string, line: number): bigint =>
  listAt(memberOf(entry, 'Chrgs') ?? {}, 'Rcrd')
    .filter((record) => textOf(record, 'ChrgInclInd') === 'true')
    .map((record) => {
      const charge = signedAmountOf(record, line);
      if (charge.currency !== currency) throw new ReportFault('invalid_line', 'a charge has another currency', line);
      return -charge.minor;
    })
    .reduce((sum, minor) => sum + minor, 0n);

const signedAmountOf = (node: XmlNode, line: number): { readonly minor: bigint; readonly currency: string } => {
  const currency = currencyIn(required(node, 'Amt', '@Ccy'), line);
  const written = textOf(node, 'Amt', '#text') ?? '';
  const minor = minorFromMajor(written, currency as Currency);
  if (minor === undefined) throw new ReportFault('invalid_line', 'an amount is not a number of that currency', line);
  const direction = required(node, 'CdtDbtInd');
  if (direction !== 'CRDT' && direction !== 'DBIT')
    throw new ReportFault('invalid_line', 'CdtDbtInd is neither CRDT nor DBIT', line);
  return { minor: direction === 'DBIT' ? -minor : minor, currency };
};

const memberOf = (node: XmlNode, name: string): XmlNode | undefined => {
  if (typeof node === 'string' || !Object.hasOwn(node, name)) return undefined;
  const member = node[name];
  return isList(member) ? member[0] : member;
};

const isList = (value: XmlNode | readonly XmlNode[] | undefined): value is readonly XmlNode[] => Array.isArray(value);

const listAt = (node: XmlNode, name: string): readonly XmlNode[] => {
  if (typeof node === 'string' || !Object.hasOwn(node, name)) return [];
  const member = node[name];
  if (member === undefined) return [];
  return isList(member) ? member : [member];
};

const at = (node: XmlNode, name: string): XmlNode => {
  const member = memberOf(node, name);
  if (member === undefined) throw new ReportFault('malformed', `there is no ${name}`);
  return member;
};

const textOf = (node: XmlNode, ...path: readonly string[]): string | undefined => {
  let current: XmlNode | undefined = node;
  for (const name of path) current = current === undefined ? undefined : memberOf(current, name);
  if (typeof current === 'string') return current;
  const text = current === undefined ? undefined : memberOf(current, '#text');
  return typeof text === 'string' ? text : undefined;
};

const required = (node: XmlNode, ...path: readonly string[]): string => {
  const text = textOf(node, ...path);
  if (text === undefined || text === '') throw new ReportFault('malformed', `there is no ${path.join('/')}`);
  return text;
};
