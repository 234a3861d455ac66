import { describe, expect, it } from '@jest/globals';

import { type ImportedLine, ReportFault, type ReportSummary, requirePastLines } from './imported-report.js';
import { bytesOf, readReport, REPORT_BYTES_MAX } from './report-files.js';

const HEADER = 'record,acquirer,report,type,reference,acquirer_reference,payment_id,amount,currency,fee,at,count';
const BEGIN = 'begin,sim,r-1,,,,,,,,2026-11-20T00:00:00.000Z,';
const END = 'end,sim,r-1,,,,,,,,2026-11-21T00:00:00.000Z,2';
const CAPTURE = 'line,sim,r-1,capture,cap_1,A-1,pay_1,1000,USD,0,2026-11-20T10:00:00.000Z,';
const REFUND = 'line,sim,r-1,refund,ref_1,A-1,pay_1,-300,USD,0,2026-11-20T11:00:00.000Z,';
const TOTAL = 'total,sim,r-1,,,,,700,USD,0,,2';
const WHOLE = [HEADER, BEGIN, CAPTURE, REFUND, TOTAL, END];

const csv = (...records: readonly string[]): string => records.map((record) => `${record}\r\n`).join('');

const read = async (
  source: string,
  text: string | Buffer,
): Promise<{ readonly lines: readonly ImportedLine[]; readonly summary: ReportSummary }> => {
  const reading = readReport(source, Buffer.from(text));
  const lines: ImportedLine[] = [];
  for (;;) {
    const step = await reading.next();
    if (step.done === true) return { lines, summary: step.value };
    lines.push(...step.value);
  }
};

const faultOf = async (source: string, text: string | Buffer): Promise<unknown> => {
  const error = await read(source, text).catch((fault: unknown) => fault);
  return error instanceof ReportFault ? [error.code, error.line] : error;
};

describe("an acquirer's report", () => {
  it('is read with signs, places and totals', async () => {
    const { lines, summary } = await read('acquirer:sim', csv(...WHOLE));
    expect(lines.map(({ line, type, amountMinor }) => [line, type, amountMinor])).toEqual([
      [3, 'capture', 1000n],
      [4, 'refund', -300n],
    ]);
    expect(summary).toMatchObject({ theirId: 'r-1', lineCount: 2 });
    expect(summary.totals).toEqual([{ currency: 'USD', count: 2, amountMinor: 700n, feeMinor: 0n }]);
  });

  it('is read with a byte order mark, bare line feeds, and quoted fields', async () => {
    const text = `\uFEFF${WHOLE.join('\n')}\n`.replace('pay_1', '"pay_1"');
    expect((await read('acquirer:sim', text)).lines).toHaveLength(2);
  });

  const without = (record: string): string => csv(...WHOLE.filter((other) => other !== record));
  const instead = (record: string, other: string): string => csv(...WHOLE.map((one) => (one === record ? other : one)));

  it.each<[string, string, string, number | undefined]>([
    ['nothing', '', 'truncated', undefined],
    ['no header', without(HEADER), 'malformed', 1],
    ['no beginning', without(BEGIN), 'malformed', 2],
    ['no end', without(END), 'truncated', undefined],
    ['a record that is cut off', csv(...WHOLE).slice(0, -40), 'malformed', 6],
    ['a line that is missing', without(REFUND), 'wrong_total', 4],
    ['a line too many', instead(REFUND, `${REFUND}\r\n${REFUND}`), 'wrong_total', 6],
    ['no total of a currency', without(TOTAL), 'wrong_total', 5],
    ['a wrong total', instead(TOTAL, TOTAL.replace('700', '701')), 'wrong_total', 5],
    ['a wrong total of fees', instead(TOTAL, TOTAL.replace('USD,0', 'USD,1')), 'wrong_total', 5],
    ['a wrong count at the end', instead(END, END.replace(/2$/, '3')), 'wrong_total', 6],
    ['two totals of one currency', instead(TOTAL, `${TOTAL}\r\n${TOTAL}`), 'malformed', 6],
    ['a total of another currency', instead(TOTAL, TOTAL.replace('USD', 'EUR')), 'wrong_total', 5],
    ['a line behind the totals', instead(TOTAL, `${TOTAL}\r\n${CAPTURE}`), 'malformed', 6],
    ['something behind the end', csv(...WHOLE, CAPTURE), 'malformed', 7],
    ['a line of another report', instead(REFUND, REFUND.replace('r-1', 'r-2')), 'other_source', 4],
    ['an unknown record', instead(REFUND, REFUND.replace('line', 'note')), 'malformed', 4],
    ['a type of the bank', instead(REFUND, REFUND.replace('refund', 'payout')), 'invalid_line', 4],
    ['a refund above zero', instead(REFUND, REFUND.replace('-300', '300')), 'invalid_line', 4],
    ['an amount with a point', instead(CAPTURE, CAPTURE.replace('1000', '10.00')), 'invalid_line', 3],
    ['an amount in hexadecimal', instead(CAPTURE, CAPTURE.replace('1000', '0x3e8')), 'invalid_line', 3],
    ['an amount of fifteen digits', instead(CAPTURE, CAPTURE.replace('1000', '1'.repeat(15))), 'invalid_line', 3],
    ['no amount', instead(CAPTURE, CAPTURE.replace('1000', '0')), 'invalid_line', 3],
    ['a currency that is none', instead(CAPTURE, CAPTURE.replace('USD', 'QQQ')), 'invalid_line', 3],
    ['a fee below zero', instead(CAPTURE, CAPTURE.replace('USD,0', 'USD,-1')), 'invalid_line', 3],
    ['a time that is none', instead(CAPTURE, CAPTURE.replace('2026-11-20T10', '2026-13-20T10')), 'invalid_line', 3],
    ['no reference', instead(CAPTURE, CAPTURE.replace('cap_1', '')), 'invalid_line', 3],
    ['a long reference', instead(CAPTURE, CAPTURE.replace('cap_1', 'x'.repeat(65))), 'invalid_line', 3],
    ['a control character', instead(CAPTURE, CAPTURE.replace('cap_1', 'cap\u0007')), 'invalid_line', 3],
    ['a card number', instead(CAPTURE, CAPTURE.replace('A-1', '4242424242424242')), 'invalid_line', 3],
    ['a record without end', csv(HEADER, BEGIN, `line,sim,r-1,"${'x'.repeat(5_000)}`), 'malformed', 3],
    ['a quote that is not closed', csv(HEADER, BEGIN, 'line,"sim'), 'malformed', 4],
  ])('with %s is refused, and the line is named', async (_what, text, code, line) => {
    expect(await faultOf('acquirer:sim', text)).toEqual([code, line]);
  });

  it('of another acquirer is refused', async () => {
    expect(await faultOf('acquirer:sim2', csv(...WHOLE))).toEqual(['other_source', 2]);
  });

  it('is not unpacked, and no other encoding is guessed', async () => {
    const { gzipSync } = await import('node:zlib');
    for (const bytes of [
      gzipSync(csv(...WHOLE)),
      Buffer.from(csv(...WHOLE), 'utf16le'),
      Buffer.from('PK\u0003\u0004\u0000'),
    ])
      expect(await faultOf('acquirer:sim', bytes)).toEqual(['malformed', undefined]);
  });
});

describe('a line', () => {
  it('of the future is refused, as far as clocks do not differ', async () => {
    const { lines } = await read('acquirer:sim', csv(...WHOLE));
    expect(() => {
      requirePastLines(lines, new Date('2026-11-20T10:56:00.000Z'));
    }).not.toThrow();
    expect(() => {
      requirePastLines(lines, new Date('2026-11-20T10:54:00.000Z'));
    }).toThrow(expect.objectContaining({ code: 'invalid_line', line: 4 }));
  });
});

describe('a file', () => {
  it('is not read further than it may be long', async () => {
    let sent = 0;
    const endless = (async function* () {
      for (;;) {
        sent += 1024 * 1024;
        yield await Promise.resolve(Buffer.alloc(1024 * 1024, 'a'));
      }
    })();
    await expect(bytesOf(endless)).rejects.toMatchObject({ code: 'too_large' });
    expect(sent).toBeLessThanOrEqual(REPORT_BYTES_MAX + 1024 * 1024);
  });
});

const ENTRY = (
  over = '',
): string => `<Ntry><Amt Ccy="USD">25.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
  <BookgDt><DtTm>2026-11-20T10:00:00Z</DtTm></BookgDt><AcctSvcrRef>B-1</AcctSvcrRef>${over}
  <NtryDtls><TxDtls><Refs><EndToEndId>po_1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>`;
const BALANCE = (code: string, amount: string, direction: string): string =>
  `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Dt><DtTm>2026-11-20T00:00:00Z</DtTm></Dt></Bal>`;
const STATEMENT = (entries: string, closing = '25.00', more = ''): string => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>m-1</MsgId></GrpHdr>
<Stmt><Id>s-1</Id><FrToDt><FrDtTm>2026-11-20T00:00:00Z</FrDtTm><ToDtTm>2026-11-21T00:00:00Z</ToDtTm></FrToDt>
<Acct><Id><Othr><Id>ours</Id></Othr></Id><Ccy>USD</Ccy><Svcr><FinInstnId><Othr><Id>sim</Id></Othr></FinInstnId></Svcr></Acct>
${BALANCE('OPBD', '0.00', 'CRDT')}${BALANCE('CLBD', closing, 'DBIT')}${more}${entries}</Stmt></BkToCstmrStmt></Document>`;

describe("a bank's statement", () => {
  it('is read entry by entry: payouts are below zero, an included charge is a fee', async () => {
    const charge =
      '<Chrgs><Rcrd><Amt Ccy="USD">0.25</Amt><CdtDbtInd>DBIT</CdtDbtInd><ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>';
    const { lines, summary } = await read('bank:sim', STATEMENT(ENTRY() + ENTRY(charge), '50.00'));
    expect(lines).toMatchObject([
      { line: 1, type: 'payout', reference: 'po_1', theirReference: 'B-1', amountMinor: -2500n, feeMinor: 0n },
      { line: 2, type: 'payout', amountMinor: -2475n, feeMinor: 25n },
    ]);
    expect(summary).toMatchObject({ theirId: 'm-1', lineCount: 2 });
  });

  it('keeps text as it is: no number, no date, no entity but those of XML', async () => {
    const { lines } = await read('bank:sim', STATEMENT(ENTRY().replace('po_1', '0012&lt;3')));
    expect(lines[0]?.reference).toBe('0012<3');
  });

  const whole = STATEMENT(ENTRY());

  it('is read with a prefix of its namespace too', async () => {
    const prefixed = whole.replaceAll(/<(\/?)(?=[A-Z])/g, '<$1c:').replace('xmlns=', 'xmlns:c=');
    expect((await read('bank:sim', prefixed)).lines).toHaveLength(1);
  });

  it.each<[string, string, string]>([
    [
      'an external entity (XXE)',
      whole
        .replace('<Document', '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document')
        .replace('po_1', '&x;'),
      'forbidden_construct',
    ],
    [
      'a billion laughs',
      whole.replace(
        '<Document',
        `<!DOCTYPE l [<!ENTITY a "ha">${'bcdefghij'
          .split('')
          .map((name, index) => `<!ENTITY ${name} "${`&${'abcdefghi'.charAt(index)};`.repeat(10)}">`)
          .join('')}]><Document`,
      ),
      'forbidden_construct',
    ],
    ['a document type in small letters', whole.replace('<Document', '<!doctype x><Document'), 'forbidden_construct'],
    ['a deep nest', `${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}`, 'forbidden_construct'],
    ['its end cut off', whole.slice(0, whole.length - 60), 'malformed'],
    ['no statement', whole.replaceAll(/<(\/?)Stmt>/g, '<$1Other>'), 'malformed'],
    ['another message', whole.replace('camt.053', 'camt.054'), 'malformed'],
    ['a wrong closing balance', STATEMENT(ENTRY(), '26.00'), 'wrong_total'],
    ['an entry that is missing', STATEMENT(''), 'wrong_total'],
    [
      'a wrong number of entries',
      STATEMENT(ENTRY(), '25.00', '<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>'),
      'wrong_total',
    ],
    ['no closing balance', whole.replace('CLBD', 'INFO'), 'truncated'],
    ['an entry that is pending', whole.replace('BOOK', 'PDNG'), 'invalid_line'],
    [
      'too many decimals',
      whole.replace('>25.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>', '>25.001</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>'),
      'invalid_line',
    ],
    ['no reference', whole.replace('<EndToEndId>po_1</EndToEndId>', ''), 'malformed'],
    ['a member of the prototype', whole.replaceAll('BkToCstmrStmt', '__proto__'), 'malformed'],
  ])('with %s is refused', async (_what, text, code) => {
    const [found] = (await faultOf('bank:sim', text)) as readonly unknown[];
    expect(found).toBe(code);
  });

  it('of another bank is refused', async () => {
    expect(await faultOf('bank:other', whole)).toEqual(['other_source', 1]);
  });
});
