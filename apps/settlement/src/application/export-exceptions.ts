import type { Sql } from '@payflow/postgres';

import { csvLine } from '../domain/spreadsheet-csv.js';
import { type ExceptionFilter, type ExceptionRow, listExceptions } from '../store/settlement-exceptions.js';

const ROWS_PER_READ = 1_000;

const COLUMNS: Readonly<Record<string, (row: ExceptionRow) => string | number | null>> = {
  exception: ({ id }) => id,
  kind: ({ kind }) => kind,
  status: ({ status }) => status,
  source: ({ source }) => source,
  type: ({ type }) => type,
  reference: ({ reference }) => reference,
  their_reference: ({ theirReference }) => theirReference,
  payment: ({ paymentId }) => paymentId,
  merchant: ({ merchantId }) => merchantId,
  expected: ({ expectedMinor }) => (expectedMinor === null ? null : Number(expectedMinor)),
  expected_currency: ({ expectedCurrency }) => expectedCurrency,
  actual: ({ actualMinor }) => (actualMinor === null ? null : Number(actualMinor)),
  currency: ({ currency }) => currency,
  report: ({ reportId }) => reportId,
  line: ({ line }) => line,
  assigned_to: ({ assignedTo }) => assignedTo,
  resolution: ({ resolution }) => resolution,
  resolved_by: ({ resolvedBy }) => resolvedBy,
  resolved_at: ({ resolvedAt }) => resolvedAt?.toISOString() ?? null,
  created_at: ({ createdAt }) => createdAt.toISOString(),
};

/** All of a list, newest first, read page by page while it is sent. Amounts are minor units. */
export async function* exportExceptions(sql: Sql, filter: ExceptionFilter): AsyncGenerator<string> {
  yield csvLine(Object.keys(COLUMNS));
  let before: string | undefined;
  do {
    const rows = await listExceptions(sql, filter, before, ROWS_PER_READ);
    yield rows.map((row) => csvLine(Object.values(COLUMNS).map((cell) => cell(row)))).join('');
    before = rows.length === ROWS_PER_READ ? rows.at(-1)?.id : undefined;
  } while (before !== undefined);
}
