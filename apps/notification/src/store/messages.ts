import type { Sql, Tx } from '@payflow/postgres';

import type { Channel, Message } from '../domain/message.js';

export interface NewMessage {
  readonly messageId: string;
  readonly eventId: string;
  readonly recipientId: string;
  readonly channel: Channel;
  readonly address: string;
  readonly message: Message;
  readonly urgent: boolean;
  readonly occurredAt: Date;
}

/** What has been told already stays as it is. @returns how many are new */
export const insertMessages = async (tx: Tx, messages: readonly NewMessage[]): Promise<number> => {
  if (messages.length === 0) return 0;
  return await tx.execute(
    `INSERT INTO messages (message_id, event_id, recipient_id, channel, to_address, message, urgent, occurred_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::boolean[],
                          $8::timestamptz[])
     ON CONFLICT (event_id, recipient_id, channel) DO NOTHING`,
    [
      messages.map(({ messageId }) => messageId),
      messages.map(({ eventId }) => eventId),
      messages.map(({ recipientId }) => recipientId),
      messages.map(({ channel }) => channel),
      messages.map(({ address }) => address),
      messages.map(({ message }) => JSON.stringify(message)),
      messages.map(({ urgent }) => urgent),
      messages.map(({ occurredAt }) => occurredAt),
    ],
  );
};

/** A message in the hands of one instance until its lease runs out and another takes it up with a higher fence. */
export interface TakenMessage {
  readonly messageId: string;
  readonly eventId: string;
  readonly recipientId: string;
  readonly channel: Channel;
  readonly address: string;
  /** As it was stored, by this version or an older one. */
  readonly message: unknown;
  readonly username: string | null;
  /** With the one that now begins. */
  readonly tries: number;
  readonly fence: bigint;
}

/** Takes up what is due and in nobody's hands, codes first, for as long as the lease lasts. */
export const takeDueMessages = async (
  sql: Sql,
  channel: Channel,
  leaseMs: number,
  limit: number,
): Promise<readonly TakenMessage[]> =>
  await sql.query<TakenMessage>(
    `WITH taken AS (
       UPDATE messages m
          SET tries = m.tries + 1, fence = m.fence + 1,
              lease_until = clock_timestamp() + make_interval(secs => $2::double precision / 1000)
         FROM (SELECT message_id FROM messages
                WHERE channel = $1 AND status = 'PENDING' AND next_try_at <= clock_timestamp()
                  AND (lease_until IS NULL OR lease_until <= clock_timestamp())
                ORDER BY urgent DESC, next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
        WHERE m.message_id = due.message_id
    RETURNING m.*)
     SELECT t.message_id AS "messageId", t.event_id AS "eventId", t.recipient_id AS "recipientId", t.channel,
            t.to_address AS address, t.message, c.username, t.tries, t.fence
       FROM taken t LEFT JOIN contacts c ON c.recipient_id = t.recipient_id`,
    [channel, leaseMs, limit],
  );

type Held = Pick<TakenMessage, 'messageId' | 'fence'>;
export type Ending = 'SENT' | 'KEPT' | 'EXPIRED' | 'FAILED';

/** @returns false when another has taken it over: then it is his to end */
export const endMessage = async (
  sql: Pick<Sql, 'execute'>,
  { messageId, fence }: Held,
  status: Ending,
  error: string | null,
): Promise<boolean> =>
  (await sql.execute(
    `UPDATE messages SET status = $3, last_error = coalesce($4, last_error), lease_until = NULL, ended_at = clock_timestamp()
      WHERE message_id = $1 AND fence = $2 AND status = 'PENDING'`,
    [messageId, fence, status, error],
  )) === 1;

export const postponeMessage = async (
  sql: Pick<Sql, 'execute'>,
  { messageId, fence }: Held,
  delayMs: number,
  error: string,
): Promise<void> => {
  await sql.execute(
    `UPDATE messages SET lease_until = NULL, last_error = $4,
            next_try_at = clock_timestamp() + make_interval(secs => $3::double precision / 1000)
      WHERE message_id = $1 AND fence = $2 AND status = 'PENDING'`,
    [messageId, fence, delayMs, error],
  );
};

/** They say who paid where: nobody needs that for ever. @returns how many went */
export const deleteEndedMessages = async (
  sql: Pick<Sql, 'execute'>,
  retentionDays: number,
  limit: number,
): Promise<number> =>
  await sql.execute(
    `DELETE FROM messages WHERE message_id IN (
       SELECT message_id FROM messages WHERE ended_at < now() - make_interval(days => $1) ORDER BY ended_at LIMIT $2)`,
    [retentionDays, limit],
  );

export interface MailboxRow {
  readonly address: string;
  readonly channel: Channel;
  readonly message: unknown;
  readonly recipientId: string;
  readonly username: string | null;
  readonly occurredAt: Date;
}

/** The newest first; of one address, or of all. */
export const readMailbox = async (
  sql: Sql,
  address: string | undefined,
  limit: number,
): Promise<readonly MailboxRow[]> =>
  await sql.query<MailboxRow>(
    `SELECT m.to_address AS address, m.channel, m.message, m.recipient_id AS "recipientId", c.username,
            m.occurred_at AS "occurredAt"
       FROM messages m LEFT JOIN contacts c ON c.recipient_id = m.recipient_id
      WHERE ($1::text IS NULL OR m.to_address = $1) AND m.occurred_at > now() - interval '1 hour'
      ORDER BY m.occurred_at DESC, m.message_id DESC LIMIT $2`,
    [address ?? null, limit],
  );
