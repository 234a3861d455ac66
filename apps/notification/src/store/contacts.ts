import type { Sql, Tx } from '@payflow/postgres';

import type { Addresses, ChannelChoices } from '../domain/chosen-channels.js';

/** Somebody who can be written to, and how he wants to be. */
export interface Recipient extends Addresses {
  readonly recipientId: string;
  readonly channels: ChannelChoices;
  /** Of the preferences; 0 when he has never set any. */
  readonly version: bigint;
}

/** The names of new accounts. Their addresses count when they are proven. */
export const insertPeople = async (
  tx: Tx,
  people: readonly { readonly userId: string; readonly username: string | null }[],
): Promise<void> => {
  if (people.length === 0) return;
  await tx.execute(
    `INSERT INTO contacts (recipient_id, username) SELECT * FROM unnest($1::text[], $2::text[])
     ON CONFLICT (recipient_id) DO NOTHING`,
    [people.map(({ userId }) => userId), people.map(({ username }) => username)],
  );
};

/** @param addresses by user id */
export const storeProvenEmails = async (tx: Tx, addresses: ReadonlyMap<string, string>): Promise<void> => {
  if (addresses.size === 0) return;
  await tx.execute(
    `INSERT INTO contacts (recipient_id, email) SELECT * FROM unnest($1::text[], $2::text[])
     ON CONFLICT (recipient_id) DO UPDATE SET email = excluded.email`,
    [[...addresses.keys()], [...addresses.values()]],
  );
};

/** @param numbers by user id */
export const storeProvenPhones = async (tx: Tx, numbers: ReadonlyMap<string, string>): Promise<void> => {
  if (numbers.size === 0) return;
  await tx.execute(
    `INSERT INTO contacts (recipient_id, phone) SELECT * FROM unnest($1::text[], $2::text[])
     ON CONFLICT (recipient_id) DO UPDATE SET phone = excluded.phone`,
    [[...numbers.keys()], [...numbers.values()]],
  );
};

/** Those that a merchant names himself. */
export const storeContact = async (tx: Tx, recipientId: string, { email, phone }: Addresses): Promise<void> => {
  await tx.execute(
    `INSERT INTO contacts (recipient_id, email, phone) VALUES ($1, $2, $3)
     ON CONFLICT (recipient_id) DO UPDATE SET email = excluded.email, phone = excluded.phone`,
    [recipientId, email, phone],
  );
};

/** Those of them who are known. */
export const findRecipients = async (
  sql: Sql,
  recipientIds: readonly string[],
): Promise<ReadonlyMap<string, Recipient>> => {
  const rows = await sql.query<Recipient>(
    `SELECT ids.id AS "recipientId", c.email, c.phone, coalesce(p.channels, '{}') AS channels,
            coalesce(p.version, 0) AS version
       FROM unnest($1::text[]) AS ids (id)
       LEFT JOIN contacts c ON c.recipient_id = ids.id
       LEFT JOIN message_preferences p ON p.recipient_id = ids.id
      WHERE c.recipient_id IS NOT NULL OR p.recipient_id IS NOT NULL`,
    [[...new Set(recipientIds)]],
  );
  return new Map(rows.map((row) => [row.recipientId, row]));
};

/** Locked until the commit, so that two changes at once are one after the other. @returns the version, 0 when there is none */
export const lockPreferences = async (tx: Tx, recipientId: string): Promise<bigint> => {
  await tx.execute(
    `INSERT INTO message_preferences (recipient_id, channels, version) VALUES ($1, '{}', 0)
     ON CONFLICT (recipient_id) DO NOTHING`,
    [recipientId],
  );
  const [row] = await tx.query<{ version: bigint }>(
    'SELECT version FROM message_preferences WHERE recipient_id = $1 FOR UPDATE',
    [recipientId],
  );
  return row?.version ?? 0n;
};

export const storePreferences = async (tx: Tx, recipientId: string, channels: ChannelChoices): Promise<void> => {
  await tx.execute(
    `UPDATE message_preferences SET channels = $2, version = version + 1, updated_at = clock_timestamp()
      WHERE recipient_id = $1`,
    [recipientId, JSON.stringify(channels)],
  );
};
