import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { CANDIDATE, holdsCardNumber, withoutDigitRuns } from './card-search.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { ReadDatabase } from './read-database.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 8. Every text, JSON and byte column of every database, every message on every topic (key, headers and value), and
 * every line of the log files is searched. Of the vault, only what is not encrypted: its columns must be clean too.
 *
 * What is taken for a card number, and what is left out on purpose, stands in card-search.ts and docs/audit.md. The audit never
 * reads the numbers in the vault; it knows a card by brand, length and check digit, and the test cards by heart.
 *
 * While traffic runs: what is seen has been written. No grace is needed, and nothing is looked at twice.
 */
export const cardNumbers: Invariant = {
  number: 8,
  title: 'No card number outside the vault',
  why: 'Whoever reads a log or a backup could pay with it (PCI DSS 3.5.1).',
  async *check(sources) {
    for (const database of sources.databases.values()) yield* inDatabase(sources, database);
    const contents = await sources.broker.contents(sources.progress);
    sources.compared('messages', contents.messages);
    yield* contents.cardNumbers;
    yield* inLogs(sources);
  },
};

/** Hashes and what is encrypted: bytes in which digits mean nothing. */
const SEALED = /(_hash|^sealed_.*|_sealed|^wrapped_key)$/;

interface Column {
  readonly table: string;
  readonly column: string;
  readonly bytes: boolean;
  /** The columns of the primary key. */
  readonly key: readonly string[];
}

async function* inDatabase(sources: Sources, database: ReadDatabase): AsyncGenerator<Finding> {
  const columns = (await textColumns(database)).filter(({ column }) => !SEALED.test(column));
  for (const table of new Set(columns.map((column) => column.table))) {
    const own = columns.filter((column) => column.table === table);
    sources.progress(`${database.name}.${table}`);
    const texts = own.map(({ column, bytes }) => (bytes ? `encode("${column}", 'escape')` : `"${column}"::text`));
    const key = own[0]?.key ?? [];
    const place = key.length === 0 ? 'ctid::text' : `concat_ws(' ', ${key.map((name) => `"${name}"`).join(', ')})`;
    const portions = database.stream<{ place: string; texts: readonly (string | null)[] }>(
      `SELECT ${place} AS place, ARRAY[${texts.join(', ')}] AS texts FROM "${table}"
        WHERE ${texts.map((text) => `${text} ~ $1`).join(' OR ')}`,
      [CANDIDATE],
    );
    for await (const rows of portions)
      for (const row of rows)
        for (const [index, text] of row.texts.entries())
          if (text !== null && holdsCardNumber(text))
            yield {
              problem: `${database.name}.${table}.${own[index]?.column ?? ''} holds a card number`,
              ids: { row: holdsCardNumber(row.place) ? withoutDigitRuns(row.place) : row.place },
            };
  }
  const [{ rows } = { rows: 0 }] = await database.query<{ rows: number }>(
    `SELECT coalesce(sum(n_live_tup), 0)::int AS rows FROM pg_stat_user_tables`,
  );
  sources.compared('columns', columns.length);
  sources.compared('rows', rows);
}

const textColumns = async (database: ReadDatabase): Promise<readonly Column[]> =>
  await database.query<Column>(
    `SELECT c.relname AS table, a.attname AS column, t.oid = 'bytea'::regtype AS bytes,
            coalesce((SELECT array_agg(k.attname::text ORDER BY k.attnum) FROM pg_index i
                        JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
                       WHERE i.indrelid = c.oid AND i.indisprimary), '{}') AS key
       FROM pg_class c
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type t ON t.oid = a.atttypid
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND (t.typcategory IN ('S', 'A') OR t.oid IN ('json'::regtype, 'jsonb'::regtype, 'bytea'::regtype))
      ORDER BY c.relname, a.attnum`,
  );

async function* inLogs({ logs, compared, progress }: Sources): AsyncGenerator<Finding> {
  if (!existsSync(logs)) return;
  for (const file of readdirSync(logs)) {
    progress(file);
    let line = 0;
    for await (const text of createInterface({ input: createReadStream(join(logs, file)), crlfDelay: Infinity })) {
      line += 1;
      if (holdsCardNumber(text)) yield { problem: 'a log line holds a card number', ids: { log: `${file}:${line}` } };
    }
    compared('log lines', line);
  }
}
