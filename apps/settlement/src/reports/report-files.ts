import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import { parse } from 'csv-parse';

import { readBankStatement } from './bank-statement.js';
import { type ImportedLine, LINES_PER_CHUNK, ReportFault, type ReportSummary } from './imported-report.js';
import { type CsvRecord, readSettlementReport } from './settlement-report.js';

/** A hundred thousand lines have half of it. */
export const REPORT_BYTES_MAX = 32 * 1024 * 1024;
/** A statement is parsed as a whole, which takes some ten times its size. */
const STATEMENT_BYTES_MAX = 8 * 1024 * 1024;
const RECORD_CHARACTERS_MAX = 2_000;
const SLICE_BYTES = 64 * 1024;

/** The file as a whole, as far as it is not too large. @throws ReportFault */
export const bytesOf = async (file: AsyncIterable<unknown>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of file) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > REPORT_BYTES_MAX)
      throw new ReportFault('too_large', `the file has more than ${REPORT_BYTES_MAX} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks, bytes);
};

export const hashOf = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** The lines of a report or a statement, chunk by chunk, then what it says of itself. @throws ReportFault */
export const readReport = (source: string, bytes: Buffer): AsyncGenerator<readonly ImportedLine[], ReportSummary> => {
  const [kind = '', name = ''] = source.split(':');
  requireText(bytes);
  return kind === 'bank' ? statementOf(bytes, name) : readSettlementReport(csvRecords(bytes), name);
};

/** Nothing is unpacked: what is packed is no text. */
const requireText = (bytes: Buffer): void => {
  if (bytes.length === 0) throw new ReportFault('truncated', 'the file is empty');
  if (!isUtf8(bytes) || bytes.includes(0)) throw new ReportFault('malformed', 'the file is not text in UTF-8');
};

async function* statementOf(bytes: Buffer, bank: string): AsyncGenerator<readonly ImportedLine[], ReportSummary> {
  if (bytes.length > STATEMENT_BYTES_MAX)
    throw new ReportFault('too_large', `the statement has more than ${STATEMENT_BYTES_MAX} bytes`);
  const { lines, summary } = readBankStatement(bytes.toString('utf8'), bank);
  for (let index = 0; index < lines.length; index += LINES_PER_CHUNK)
    yield await Promise.resolve(lines.slice(index, index + LINES_PER_CHUNK));
  return summary;
}

async function* csvRecords(bytes: Buffer): AsyncGenerator<CsvRecord> {
  const parser = parse({ bom: true, info: true, max_record_size: RECORD_CHARACTERS_MAX });
  Readable.from(slicesOf(bytes)).pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>)
      yield { fields: record, line: info.lines };
  } catch (error) {
    if (!isCsvError(error)) throw error;
    throw new ReportFault('malformed', 'the record is not like the others: the file may be cut off', error.lines);
  }
}

function* slicesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) yield bytes.subarray(start, start + SLICE_BYTES);
}

const isCsvError = (error: unknown): error is Error & { readonly lines?: number } =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('CSV_');
