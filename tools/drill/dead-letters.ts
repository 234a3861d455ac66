import { setTimeout as wait } from 'node:timers/promises';

import type { Row } from './databases.ts';
import type { PoisonPlace, World } from './world.ts';

const LIMIT_MS = 120_000;
const POLL_MS = 500;

/**
 * Exactly the poison that the drill sent may be dead letters: what is more was given up wrongly, what is less was swallowed.
 *
 * @returns a sentence for each that is too many or missing
 */
export const wrongDeadLetters = async ({ databases, poison }: World): Promise<readonly string[]> => {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const wrong = await databases
      .query('ledger', 'SELECT dead_letter_id, topic, partition, kafka_offset, status, reason FROM dead_letters')
      .then((letters) => compared(letters, poison))
      .catch((error: unknown) => [`they could not be read: ${String(error)}`]);
    // The last poison may still be on its way.
    if (wrong.length === 0 || performance.now() > deadline) return wrong;
    await wait(POLL_MS);
  }
};

const compared = (letters: readonly Row[], poison: readonly PoisonPlace[]): readonly string[] => {
  const expected = new Set(poison.map(placeOf));
  const found = new Set(letters.map(placeOfLetter));
  return [
    ...letters
      .filter((letter) => letter['status'] === 'open' && !expected.has(placeOfLetter(letter)))
      .map((letter) => `${String(letter['dead_letter_id'])} was given up: ${String(letter['reason'])}`),
    ...poison
      .filter((place) => !place.mayBeLost && !found.has(placeOf(place)))
      .map((place) => `poison at ${placeOf(place)} became none`),
  ];
};

const placeOf = ({ topic, partition, offset }: PoisonPlace): string => `${topic}/${partition}/${offset}`;

const placeOfLetter = (row: Row): string => [row['topic'], row['partition'], row['kafka_offset']].map(String).join('/');
