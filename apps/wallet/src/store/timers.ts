import type { Sql, Tx } from '@payflow/postgres';

/** Something to be looked at again at a time: a transaction or a hold that is under way. */
export interface Timer {
  readonly subjectId: string;
  /** Which step of which saga it belongs to: `post`, `claim` … A subject has at most one of a kind. */
  readonly kind: string;
}

/** A timer in the hands of one instance until its lease runs out and another takes it up with a higher fence. */
export interface TakenTimer extends Timer {
  readonly attempts: number;
  readonly fence: bigint;
}

/** Sets timers, anew where they were set before: whoever had one of those in hand has lost it. */
export const armTimers = async (
  tx: Pick<Tx, 'execute'>,
  timers: readonly (Timer & { readonly dueAt: Date })[],
): Promise<void> => {
  if (timers.length === 0) return;
  await tx.execute(
    `INSERT INTO wallet_timers AS t (subject_id, kind, due_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
     ON CONFLICT (subject_id, kind) DO UPDATE
        SET due_at = excluded.due_at, attempts = 0, lease_until = NULL, fence = t.fence + 1`,
    [timers.map(({ subjectId }) => subjectId), timers.map(({ kind }) => kind), timers.map(({ dueAt }) => dueAt)],
  );
};

export const disarmTimers = async (
  tx: Pick<Tx, 'execute'>,
  kind: string,
  subjectIds: readonly string[],
): Promise<void> => {
  if (subjectIds.length === 0) return;
  await tx.execute('DELETE FROM wallet_timers WHERE kind = $1 AND subject_id = ANY ($2::text[])', [kind, subjectIds]);
};

/**
 * Takes a timer into one's own hands, whoever had it: he, or who has never looked at it, is not alone with its subject any
 * more. It stays due. @returns undefined when there is none, and its subject has been looked after
 */
export const takeOverTimer = async (sql: Sql, { kind, subjectId }: Timer): Promise<TakenTimer | undefined> => {
  const [taken] = await sql.query<TakenTimer>(
    `UPDATE wallet_timers SET fence = fence + 1, lease_until = NULL WHERE kind = $1 AND subject_id = $2
  RETURNING subject_id AS "subjectId", kind, attempts, fence`,
    [kind, subjectId],
  );
  return taken;
};

/** Takes up what is due and in nobody's hands, for as long as the lease lasts. */
export const takeDueTimers = async (sql: Sql, kind: string, leaseMs: number, limit: number): Promise<TakenTimer[]> =>
  await sql.query<TakenTimer>(
    `UPDATE wallet_timers t
        SET attempts = t.attempts + 1, fence = t.fence + 1,
            lease_until = clock_timestamp() + make_interval(secs => $2::double precision / 1000)
       FROM (SELECT subject_id, kind FROM wallet_timers
              WHERE kind = $1 AND due_at <= clock_timestamp()
                AND (lease_until IS NULL OR lease_until <= clock_timestamp())
              ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
      WHERE t.subject_id = due.subject_id AND t.kind = due.kind
  RETURNING t.subject_id AS "subjectId", t.kind, t.attempts, t.fence`,
    [kind, leaseMs, limit],
  );

/** These have been looked after. Those that were set anew, or are in other hands now, stay. @returns how many went */
export const disarmTakenTimers = async (
  sql: Pick<Sql, 'execute'>,
  taken: readonly Pick<TakenTimer, 'subjectId' | 'kind' | 'fence'>[],
): Promise<number> => {
  if (taken.length === 0) return 0;
  return await sql.execute(
    `DELETE FROM wallet_timers t USING unnest($1::text[], $2::text[], $3::bigint[]) AS n (subject_id, kind, fence)
      WHERE t.subject_id = n.subject_id AND t.kind = n.kind AND t.fence = n.fence`,
    [taken.map(({ subjectId }) => subjectId), taken.map(({ kind }) => kind), taken.map(({ fence }) => fence)],
  );
};

/** Puts a timer off and gives it back. Somebody else's is left alone. */
export const postponeTimers = async (sql: Sql, taken: readonly TakenTimer[], dueAt: Date): Promise<void> => {
  if (taken.length === 0) return;
  await sql.execute(
    `UPDATE wallet_timers t SET due_at = $4, lease_until = NULL
       FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (subject_id, kind, fence)
      WHERE t.subject_id = n.subject_id AND t.kind = n.kind AND t.fence = n.fence`,
    [taken.map(({ subjectId }) => subjectId), taken.map(({ kind }) => kind), taken.map(({ fence }) => fence), dueAt],
  );
};

/** Whether the timer is still in the hands of whoever took it up; locked, so that it stays so until the commit. */
export const lockStillTaken = async (tx: Tx, { subjectId, kind, fence }: TakenTimer): Promise<boolean> =>
  (
    await tx.query('SELECT FROM wallet_timers WHERE subject_id = $1 AND kind = $2 AND fence = $3 FOR UPDATE', [
      subjectId,
      kind,
      fence,
    ])
  ).length === 1;
