import type { Database } from '@payflow/postgres';

import type { Relay } from './relay.js';
import { lastPosition, unpublishAfter } from './relay-sql.js';

const ROWS_MAX = 5_000;

/**
 * Has the relay send everything again that the outbox keeps, in the same order: for a Kafka whose data was erased. What
 * consumers had already, their inboxes and gates skip.
 *
 * @returns how many messages
 */
export const republish = async (database: Database, relay: Relay): Promise<number> => {
  const upTo = await lastPosition(database);
  let messages = 0;
  let position: bigint | undefined = 0n;
  while (position !== undefined) {
    const again: readonly bigint[] = await unpublishAfter(database, position, upTo, ROWS_MAX);
    messages += again.length;
    position = again.at(-1);
    relay.poke();
  }
  return messages;
};
