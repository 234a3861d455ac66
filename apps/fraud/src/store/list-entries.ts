import { FRAUD_LISTS, type FraudListName, kindOfFraudList } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { listValuesOf } from '../domain/list-values.js';

/** A row of `fraud_list_entries`. */
export interface ListEntryRow {
  readonly id: string;
  readonly list: FraudListName;
  readonly value: string;
  readonly reason: string;
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
  readonly createdBy: string;
}

const COLUMNS = `
  id, list, value, reason, expires_at AS "expiresAt", created_at AS "createdAt", created_by AS "createdBy"`;

/** Which lists a payment is in by one of its values or by its address. */
export const listsWith = async (
  sql: Sql,
  values: ReturnType<typeof listValuesOf>,
  ip: string | null,
): Promise<readonly FraudListName[]> => {
  const sought = FRAUD_LISTS.flatMap((list) =>
    values.filter(({ kind }) => kind === kindOfFraudList(list)).map(({ value }) => [list, value] as const),
  );
  const rows = await sql.query<{ list: FraudListName }>(
    `SELECT e.list FROM unnest($1::text[], $2::text[]) AS s (list, value)
       JOIN fraud_list_entries e ON e.list = s.list AND e.value = s.value
      WHERE e.removed_at IS NULL AND (e.expires_at IS NULL OR e.expires_at > clock_timestamp())
      UNION
     SELECT list FROM fraud_list_entries
      WHERE network >>= $3::inet AND removed_at IS NULL AND network IS NOT NULL
        AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
    [sought.map(([list]) => list), sought.map(([, value]) => value), ip],
  );
  return rows.map(({ list }) => list);
};

/** @returns the entry that is in the list now, and whether it is this one */
export const addListEntry = async (
  tx: Tx,
  entry: ListEntryRow,
): Promise<{ readonly row: ListEntryRow; readonly added: boolean }> => {
  const { id, list, value, reason, expiresAt, createdAt, createdBy } = entry;
  const [added] = await tx.query<ListEntryRow>(
    `INSERT INTO fraud_list_entries AS e (id, list, value, network, reason, expires_at, created_at, created_by)
     VALUES ($1, $2, $3::text, CASE WHEN $8 THEN ($3::text)::inet END, $4, $5, $6, $7)
     ON CONFLICT (list, value) WHERE removed_at IS NULL DO UPDATE
        SET id = excluded.id, reason = excluded.reason, expires_at = excluded.expires_at, created_at = excluded.created_at,
            created_by = excluded.created_by
      WHERE e.expires_at <= clock_timestamp()
     RETURNING ${COLUMNS}`,
    [id, list, value, reason, expiresAt, createdAt, createdBy, kindOfFraudList(list) === 'ip'],
  );
  if (added !== undefined) return { row: added, added: true };
  const [there] = await tx.query<ListEntryRow>(
    `SELECT ${COLUMNS} FROM fraud_list_entries WHERE list = $1 AND value = $2 AND removed_at IS NULL`,
    [list, value],
  );
  if (there === undefined) throw new Error('invariant: an entry that is in the way is there');
  return { row: there, added: false };
};

/** @returns whether it was there */
export const removeListEntry = async (tx: Tx, list: FraudListName, id: string, by: string): Promise<boolean> =>
  (await tx.execute(
    `UPDATE fraud_list_entries SET removed_at = clock_timestamp(), removed_by = $3
      WHERE list = $1 AND id = $2 AND removed_at IS NULL`,
    [list, id, by],
  )) === 1;

/** Newest first, behind the one that ended the page before. */
export const listEntries = async (
  sql: Sql,
  list: FraudListName,
  value: string | undefined,
  before: string | undefined,
  limit: number,
): Promise<readonly ListEntryRow[]> =>
  await sql.query<ListEntryRow>(
    `SELECT ${COLUMNS} FROM fraud_list_entries
      WHERE list = $1 AND removed_at IS NULL AND ($2::text IS NULL OR value = $2) AND ($3::text IS NULL OR id < $3)
      ORDER BY id DESC LIMIT $4`,
    [list, value ?? null, before ?? null, limit],
  );
