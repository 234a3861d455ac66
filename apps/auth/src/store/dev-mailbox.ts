import type { Sql, Tx } from '@payflow/postgres';

import type { Channel, MessagePurpose } from '../domain/codes.js';

export interface MailboxRow {
  readonly to: string;
  readonly channel: Channel;
  readonly purpose: MessagePurpose;
  readonly subject: string | null;
  readonly text: string;
  readonly code: string | null;
  readonly sentAt: Date;
}

const KEPT = "interval '1 hour'";
const ROWS_MAX = 50;

export const insertMail = async (tx: Tx, mail: MailboxRow): Promise<void> => {
  await tx.execute(`DELETE FROM dev_mailbox WHERE sent_at < now() - ${KEPT}`);
  await tx.execute(
    `INSERT INTO dev_mailbox (to_address, channel, purpose, subject, body, code, sent_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [mail.to, mail.channel, mail.purpose, mail.subject, mail.text, mail.code, mail.sentAt],
  );
};

/** The newest first; of one address, or of all. */
export const readMailbox = async (sql: Sql, to: string | undefined): Promise<readonly MailboxRow[]> =>
  await sql.query<MailboxRow>(
    `SELECT to_address AS "to", channel, purpose, subject, body AS text, code, sent_at AS "sentAt" FROM dev_mailbox
      WHERE ($1::text IS NULL OR to_address = $1) AND sent_at > now() - ${KEPT}
      ORDER BY position DESC LIMIT ${ROWS_MAX}`,
    [to ?? null],
  );
