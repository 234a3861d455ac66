import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The acquirer's own book: what it was asked and what it said, once for each reference, and what came of each authorization. */
export class Book1763700000000 implements MigrationInterface {
  readonly name = 'Book1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE operations (
        position         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        operation        text NOT NULL CHECK (operation IN ('authorize', 'capture', 'void', 'refund')),
        outcome          text NOT NULL CHECK (outcome IN ('approved', 'declined', 'pending')),
        authorization_id text,
        payment_id       text NOT NULL,
        merchant_id      text NOT NULL,
        amount_minor     bigint NOT NULL CHECK (amount_minor >= 0),
        currency         text NOT NULL,
        card_bin         text NOT NULL CHECK (length(card_bin) = 6),
        card_last4       text NOT NULL CHECK (length(card_last4) = 4),
        request_hash     bytea NOT NULL,
        decline_code     text,
        advice_code      text,
        message          text NOT NULL,
        created_at       timestamptz NOT NULL,
        PRIMARY KEY (acquirer, reference),
        CHECK ((outcome = 'declined') = (decline_code IS NOT NULL))
      );
      COMMENT ON TABLE operations IS 'Append-only. The primary key is what makes a reference take effect once.';
      COMMENT ON COLUMN operations.request_hash IS 'Of the request without CVC and without the digits of the card number that are masked.';
      CREATE INDEX operations_by_payment ON operations (acquirer, payment_id, position DESC);
      CREATE INDEX operations_by_merchant ON operations (acquirer, merchant_id, position DESC);

      CREATE TABLE authorizations (
        acquirer         text NOT NULL,
        authorization_id text NOT NULL,
        reference        text NOT NULL,
        amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
        currency         text NOT NULL,
        captured_minor   bigint NOT NULL DEFAULT 0,
        refunded_minor   bigint NOT NULL DEFAULT 0,
        closed           boolean NOT NULL DEFAULT false,
        PRIMARY KEY (acquirer, authorization_id),
        UNIQUE (acquirer, reference),
        FOREIGN KEY (acquirer, reference) REFERENCES operations (acquirer, reference),
        CONSTRAINT holds CHECK (0 <= refunded_minor AND refunded_minor <= captured_minor AND captured_minor <= amount_minor)
      );
      REVOKE UPDATE, DELETE, TRUNCATE ON operations FROM ${databaseNamesOf('acquirer-sim').runtime};
      REVOKE DELETE, TRUNCATE ON authorizations FROM ${databaseNamesOf('acquirer-sim').runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE authorizations; DROP TABLE operations');
  }
}
