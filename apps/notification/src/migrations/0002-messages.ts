import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Mails and SMS. The words:
 * - contact: where somebody is reached: a person's proven addresses, or those that a merchant has named
 * - message: one event told to one recipient over one channel
 */
export class Messages1764001100000 implements MigrationInterface {
  readonly name = 'Messages1764001100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE contacts (
        -- usr_… or mer_…
        recipient_id text PRIMARY KEY,
        username     text,
        email        text,
        phone        text
      );

      CREATE TABLE message_preferences (
        recipient_id text   PRIMARY KEY,
        -- Channels by kind of message. A kind that is missing has its default.
        channels     jsonb  NOT NULL,
        version      bigint NOT NULL,
        updated_at   timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE messages (
        message_id   text PRIMARY KEY,
        event_id     text NOT NULL,
        recipient_id text NOT NULL,
        channel      text NOT NULL CHECK (channel IN ('email', 'sms')),
        to_address   text NOT NULL,
        -- What is to be said, not the words: a code lies here sealed.
        message      jsonb NOT NULL,
        -- Codes go before receipts.
        urgent       boolean NOT NULL,
        -- KEPT: nothing to send it with is configured.
        status       text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'SENT', 'KEPT', 'EXPIRED', 'FAILED')),
        occurred_at  timestamptz NOT NULL,
        tries        int NOT NULL DEFAULT 0,
        next_try_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        lease_until  timestamptz,
        fence        bigint NOT NULL DEFAULT 0,
        last_error   text,
        ended_at     timestamptz,
        -- One event is told to one recipient once over each channel, however often it arrives.
        UNIQUE (event_id, recipient_id, channel)
      );
      CREATE INDEX messages_due ON messages (channel, urgent DESC, next_try_at) WHERE status = 'PENDING';
      CREATE INDEX messages_of_address ON messages (to_address, occurred_at);
      CREATE INDEX messages_occurred ON messages (occurred_at);
      CREATE INDEX messages_ended ON messages (ended_at) WHERE ended_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE messages; DROP TABLE message_preferences; DROP TABLE contacts');
  }
}
