import type { Sql, Tx } from '@payflow/postgres';

/** One line of the journal: the tokens that name the subject are refused from now on, or no longer. */
export interface RevocationEntry {
  /** `usr_…`, `ses_…`, `cli_…`, `apk_…`, `pk_…` or `mer_…`. */
  readonly subject: string;
  readonly revoked: boolean;
  /** When the last token that could name it has expired. */
  readonly until: Date | null;
}

export interface JournalledRevocation extends RevocationEntry {
  readonly position: bigint;
}

/** Any number that no other lock of the database uses. */
const JOURNAL_LOCK = 7_201_522;

/**
 * Positions must become visible in their order: a reader who asks for what is behind 7 must never learn later that there
 * was a 6. So whoever writes holds this lock until his transaction has ended. It is the last lock that a transaction
 * takes: revoke when everything else is written.
 */
const lockJournal = async (tx: Tx): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock($1)', [JOURNAL_LOCK]);
};

/** Refuses all tokens that name one of the subjects, everywhere within a second of the commit. */
export const revoke = async (tx: Tx, subjects: string | readonly string[], until: Date): Promise<void> => {
  const entries = [subjects].flat().map((subject) => ({ subject, revoked: true, until }));
  if (entries.length === 0) return;
  await lockJournal(tx);
  await tx.execute(
    `INSERT INTO revocations (subject, revoked, until)
     SELECT subject, true, $2 FROM unnest($1::text[]) WITH ORDINALITY AS given (subject, place) ORDER BY place`,
    [entries.map(({ subject }) => subject), until],
  );
  tellAfterCommit(tx, entries);
};

/** Takes the revocations of a subject back. Its entry is kept as long as those are. */
export const lift = async (tx: Tx, subject: string): Promise<void> => {
  await lockJournal(tx);
  const [entry] = await tx.query<RevocationEntry>(
    `INSERT INTO revocations (subject, revoked, until)
     SELECT $1, false, CASE WHEN bool_or(until IS NULL) THEN NULL ELSE max(until) END
       FROM revocations WHERE subject = $1 AND revoked HAVING count(*) > 0
     RETURNING subject, revoked, until`,
    [subject],
  );
  if (entry) tellAfterCommit(tx, [entry]);
};

export const revocationsAfter = async (
  sql: Sql,
  position: bigint,
  limit: number,
): Promise<readonly JournalledRevocation[]> =>
  await sql.query<JournalledRevocation>(
    'SELECT position, subject, revoked, until FROM revocations WHERE position > $1 ORDER BY position LIMIT $2',
    [position, limit],
  );

/** Whether the journal ever came that far. Not after it was restored from a backup: then readers begin anew. */
export const journalReached = async (sql: Sql, position: bigint): Promise<boolean> =>
  (
    await sql.query<{ reached: boolean }>(
      `SELECT is_called AND last_value >= $1 AS reached FROM revocations_position_seq`,
      [position],
    )
  )[0]?.reached === true;

/** What concerns no living token any more. */
export const deletePastRevocations = async (sql: Sql): Promise<number> =>
  await sql.execute('DELETE FROM revocations WHERE until < now()');

type Listener = (entries: readonly RevocationEntry[]) => void;

/**
 * The journals of this process, told at the commit so that they need not wait for their next look at the table. Module-wide,
 * because a transaction does not know which application it belongs to; an entry that is another's does no harm.
 */
const listeners = new Set<Listener>();

/** @returns ends it */
export const onRevocation = (listener: Listener): (() => void) => {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
};

const tellAfterCommit = (tx: Tx, entries: readonly RevocationEntry[]): void => {
  tx.onCommit(() => {
    for (const listener of listeners) listener(entries);
  });
};
