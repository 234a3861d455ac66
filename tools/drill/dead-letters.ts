import type { World } from './world.ts';

/**
 * Dead letters that no fault of the drill made: each consumer may give up the poison that was sent, and nothing else.
 */
export const unexpectedDeadLetters = async ({ databases, poison }: World): Promise<readonly string[]> => {
  const expected = new Set(poison.map(({ topic, partition, offset }) => `${topic}/${partition}/${offset}`));
  const letters = await databases.query(
    'ledger',
    `SELECT dead_letter_id, consumer, topic, partition, kafka_offset, reason FROM dead_letters WHERE status = 'open'`,
  );
  return letters
    .filter((row) => !expected.has([row['topic'], row['partition'], row['kafka_offset']].map(String).join('/')))
    .map((row) => `${String(row['dead_letter_id'])} of ${String(row['consumer'])}: ${String(row['reason'])}`);
};
