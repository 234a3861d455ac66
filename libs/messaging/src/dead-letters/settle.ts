import type { Tx } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import { lockGates, moveGates } from '../inbox/gate-sql.js';
import { wakeAllParked } from '../inbox/parked-sql.js';
import type { ConsumerBinding } from '../message.js';
import type { MessagingSettings } from '../settings.js';
import { type Doer, type LetterPlace, parkLetters, recordActions, setStatuses } from './dead-letter-set-sql.js';

/**
 * Has open letters tried once more, under their old event ids. They end as `replayed`, or are `open` again. The caller
 * has locked them.
 */
export const replayLetters = async (
  tx: Tx,
  letters: readonly LetterPlace[],
  by: Doer,
  { retryTriesMax }: MessagingSettings,
): Promise<void> => {
  const ids = letters.map(({ deadLetterId }) => deadLetterId);
  // The next try is the last one.
  await parkLetters(tx, ids, retryTriesMax - 1);
  crashPoint('dead-letters.after-replay-before-mark');
  await setStatuses(tx, ids, 'replaying');
  await recordActions(tx, 'replay', by, withoutOutcome(letters));
};

/** Gives open letters up for good. An ordered consumer goes on with the event behind each. The caller has locked them. */
export const discardLetters = async (
  tx: Tx,
  letters: readonly LetterPlace[],
  by: Doer,
  bindings: ReadonlyMap<string, ConsumerBinding>,
): Promise<void> => {
  await setStatuses(
    tx,
    letters.map(({ deadLetterId }) => deadLetterId),
    'discarded',
  );
  for (const { consumer, ordered } of bindings.values())
    if (ordered)
      await passDiscarded(
        tx,
        consumer,
        letters.filter((letter) => letter.consumer === consumer),
      );
  await recordActions(tx, 'discard', by, withoutOutcome(letters));
};

const withoutOutcome = (letters: readonly LetterPlace[]): readonly { deadLetterId: string; outcome: null }[] =>
  letters.map(({ deadLetterId }) => ({ deadLetterId, outcome: null }));

const passDiscarded = async (tx: Tx, consumer: string, letters: readonly LetterPlace[]): Promise<void> => {
  const placed = letters.flatMap(({ aggregateId, sequence }) =>
    aggregateId === null || sequence === null ? [] : [{ aggregateId, sequence }],
  );
  if (placed.length === 0) return;
  const aggregateIds = [...new Set(placed.map(({ aggregateId }) => aggregateId))].sort();
  const next = new Map(await lockGates(tx, consumer, aggregateIds));
  const moved = new Map<string, number>();
  for (const { aggregateId, sequence } of [...placed].sort((a, b) => a.sequence - b.sequence)) {
    if (next.get(aggregateId) !== sequence) continue;
    next.set(aggregateId, sequence + 1);
    moved.set(aggregateId, sequence + 1);
  }
  await moveGates(tx, consumer, moved);
  await wakeAllParked(tx, consumer, moved);
};
