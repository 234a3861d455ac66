import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The bank: what it was asked to pay, how that stands, and its own book of what went to which account. */
export class Bank1763900000000 implements MigrationInterface {
  readonly name = 'Bank1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    const { runtime } = databaseNamesOf('acquirer-sim');
    await runner.query(`
      CREATE TABLE bank_payouts (
        bank             text NOT NULL,
        reference        text NOT NULL,
        bank_reference   text,
        amount_minor     bigint NOT NULL CHECK (amount_minor >= 0),
        currency         text NOT NULL,
        account          text,
        name             text,
        request_hash     bytea,
        created_at       timestamptz NOT NULL,
        PRIMARY KEY (bank, reference),
        CHECK ((request_hash IS NULL) = (account IS NULL))
      );
      COMMENT ON TABLE bank_payouts IS 'What was asked. Append-only. The primary key is what makes a reference pay once.';
      COMMENT ON COLUMN bank_payouts.request_hash IS 'NULL: the tombstone that a cancellation left for a request that had not come.';

      CREATE TABLE bank_payout_states (
        position         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        bank             text NOT NULL,
        reference        text NOT NULL,
        status           text NOT NULL CHECK (status IN ('ACCEPTED', 'PAID', 'REFUSED', 'CANCELED', 'RETURNED')),
        reason           text,
        created_at       timestamptz NOT NULL,
        UNIQUE (bank, reference, status),
        FOREIGN KEY (bank, reference) REFERENCES bank_payouts (bank, reference)
      );
      COMMENT ON TABLE bank_payout_states IS 'What was said, and the feed of changes. Append-only; the highest position is how it stands now. Written under the lock of the bank, so that positions are in commit order.';
      CREATE INDEX bank_payout_states_of_one ON bank_payout_states (bank, reference, position DESC);

      CREATE TABLE bank_book (
        position         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        bank             text NOT NULL,
        reference        text NOT NULL,
        kind             text NOT NULL CHECK (kind IN ('CREDIT', 'RETURN')),
        account          text NOT NULL,
        name             text NOT NULL,
        amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
        currency         text NOT NULL,
        created_at       timestamptz NOT NULL,
        FOREIGN KEY (bank, reference) REFERENCES bank_payouts (bank, reference)
      );
      COMMENT ON TABLE bank_book IS 'Credits to accounts, and what came back from them. Append-only. No constraint keeps a second credit out: this is where one would be seen.';
      CREATE INDEX bank_book_by_reference ON bank_book (bank, reference, position DESC);
      CREATE INDEX bank_book_by_account ON bank_book (bank, account, position DESC);

      CREATE TABLE due_bank_states (
        bank             text NOT NULL,
        reference        text NOT NULL,
        due_at           timestamptz NOT NULL,
        status           text NOT NULL CHECK (status IN ('PAID', 'REFUSED', 'RETURNED')),
        reason           text,
        PRIMARY KEY (bank, reference),
        FOREIGN KEY (bank, reference) REFERENCES bank_payouts (bank, reference)
      );
      COMMENT ON TABLE due_bank_states IS 'Timers: what comes of itself, unless something else decides before.';
      CREATE INDEX due_bank_states_by_time ON due_bank_states (due_at);

      CREATE TABLE bank_modes (
        mode_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        bank             text NOT NULL,
        operation        text,
        reference        text,
        mode             text NOT NULL,
        latency_ms       int,
        times_left       int CHECK (times_left >= 0),
        created_at       timestamptz NOT NULL,
        UNIQUE NULLS NOT DISTINCT (bank, operation, reference)
      );
      COMMENT ON TABLE bank_modes IS 'How requests are treated that come next, as in modes.';

      REVOKE UPDATE, DELETE, TRUNCATE ON bank_payouts, bank_payout_states, bank_book FROM ${runtime};
      REVOKE TRUNCATE ON due_bank_states, bank_modes FROM ${runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE bank_modes; DROP TABLE due_bank_states; DROP TABLE bank_book; DROP TABLE bank_payout_states; DROP TABLE bank_payouts',
    );
  }
}
