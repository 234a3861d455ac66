import type { Sql, Tx } from '@payflow/postgres';

import { lockStillTaken, postponeTimers, type TakenTimer } from '../store/timers.js';

/** The timers of money that comes and goes. */
export type MoneyTimerKind = 'add' | 'withdraw';

/** The timer as the request has it that set it: nobody has taken it up. */
export const ownTimer = (kind: MoneyTimerKind, subjectId: string): TakenTimer => ({
  subjectId,
  kind,
  attempts: 0,
  fence: 0n,
});

/** Whether this is still in the hands of whoever works on it; the word of somebody outside needs no hands. */
export const isInHands = async (tx: Tx, timer: TakenTimer | undefined): Promise<boolean> =>
  timer === undefined || (await lockStillTaken(tx, timer));

const MS_PER_SECOND = 1_000;

/** When it is looked at next: by the schedule, then at its last interval. */
export const putOff = async (
  sql: Sql,
  timer: TakenTimer,
  asked: number,
  delaysSeconds: readonly number[],
): Promise<void> => {
  const seconds = delaysSeconds[Math.min(asked, delaysSeconds.length - 1)] ?? 1;
  await postponeTimers(sql, [timer], new Date(Date.now() + seconds * MS_PER_SECOND));
};

/** News have come: it is looked at now, and whoever had it in hand has lost it. */
export const pokeMoneyTimers = async (
  tx: Pick<Tx, 'execute'>,
  kind: MoneyTimerKind,
  subjectIds: readonly string[],
): Promise<void> => {
  if (subjectIds.length === 0) return;
  await tx.execute(
    `UPDATE wallet_timers SET due_at = clock_timestamp(), lease_until = NULL, fence = fence + 1
      WHERE kind = $1 AND subject_id = ANY ($2::text[])`,
    [kind, subjectIds],
  );
};
