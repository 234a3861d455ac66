import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The acquirer's own book: what it was asked, what it said and says now, and what came of each authorization. */
export class Book1763700000000 implements MigrationInterface {
  readonly name = 'Book1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    const { runtime } = databaseNamesOf('acquirer-sim');
    await runner.query(`
      CREATE TABLE operations (
        position         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        operation        text NOT NULL CHECK (operation IN ('authorize', 'capture', 'void', 'refund')),
        authorization_id text,
        payment_id       text NOT NULL,
        merchant_id      text NOT NULL,
        amount_minor     bigint NOT NULL CHECK (amount_minor >= 0),
        currency         text NOT NULL,
        final            boolean NOT NULL DEFAULT false,
        card_bin         text CHECK (length(card_bin) = 6),
        card_last4       text CHECK (length(card_last4) = 4),
        card_behaviour   text,
        webhook_habit    text CHECK (webhook_habit IN ('duplicate', 'reordered')),
        request_hash     bytea,
        created_at       timestamptz NOT NULL,
        PRIMARY KEY (acquirer, reference)
      );
      COMMENT ON TABLE operations IS 'What was asked. Append-only. The primary key is what makes a reference take effect once.';
      COMMENT ON COLUMN operations.authorization_id IS 'Of an authorization its own, which it has if it is approved; of a reversal none when nothing was ever held.';
      COMMENT ON COLUMN operations.request_hash IS 'Of the request without CVC and without the digits of the card number that are masked. NULL: the tombstone that a reversal left for a request that had not come.';
      CREATE INDEX operations_by_payment ON operations (acquirer, payment_id, position DESC);
      CREATE INDEX operations_by_merchant ON operations (acquirer, merchant_id, position DESC);

      CREATE TABLE operation_results (
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        sequence         int NOT NULL CHECK (sequence >= 1),
        outcome          text NOT NULL CHECK (outcome IN ('approved', 'declined', 'pending', 'action_required')),
        amount_minor     bigint NOT NULL CHECK (amount_minor >= 0),
        decline_code     text,
        advice_code      text,
        technical        boolean NOT NULL,
        message          text NOT NULL,
        created_at       timestamptz NOT NULL,
        PRIMARY KEY (acquirer, reference, sequence),
        FOREIGN KEY (acquirer, reference) REFERENCES operations (acquirer, reference),
        CHECK ((outcome = 'declined') = (decline_code IS NOT NULL))
      );
      COMMENT ON TABLE operation_results IS 'What was said. Append-only; the highest sequence is how it stands now.';

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

      CREATE TABLE challenges (
        token            text PRIMARY KEY,
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        kind             text NOT NULL CHECK (kind IN ('card', 'bank')),
        merchant         text NOT NULL,
        bank             text,
        return_url       text,
        when_completed   jsonb NOT NULL,
        expires_at       timestamptz NOT NULL,
        UNIQUE (acquirer, reference),
        FOREIGN KEY (acquirer, reference) REFERENCES operations (acquirer, reference)
      );
      COMMENT ON TABLE challenges IS 'Pages that wait for a payer, or did. The token is what lets him in.';

      CREATE TABLE due_results (
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        due_at           timestamptz NOT NULL,
        verdict          jsonb NOT NULL,
        PRIMARY KEY (acquirer, reference),
        FOREIGN KEY (acquirer, reference) REFERENCES operations (acquirer, reference)
      );
      COMMENT ON TABLE due_results IS 'Timers: the result that comes of itself, unless something else decides before.';
      CREATE INDEX due_results_by_time ON due_results (due_at);

      CREATE VIEW book AS
        SELECT o.position, o.acquirer, o.reference, o.operation, r.outcome,
               o.authorization_id, o.payment_id, o.merchant_id, r.amount_minor, o.amount_minor AS asked_minor, o.currency, o.final,
               o.card_bin, o.card_last4, o.card_behaviour, o.webhook_habit, o.request_hash,
               r.sequence, r.decline_code, r.advice_code, r.technical, r.message, o.created_at,
               c.token AS challenge_token, c.expires_at AS challenge_expires_at
          FROM operations o
          CROSS JOIN LATERAL (SELECT * FROM operation_results s
                               WHERE s.acquirer = o.acquirer AND s.reference = o.reference
                               ORDER BY s.sequence DESC LIMIT 1) r
          LEFT JOIN challenges c ON c.acquirer = o.acquirer AND c.reference = o.reference;
      COMMENT ON VIEW book IS 'Each operation as it stands now.';

      REVOKE UPDATE, DELETE, TRUNCATE ON operations, operation_results, challenges FROM ${runtime};
      REVOKE DELETE, TRUNCATE ON authorizations FROM ${runtime};
      REVOKE TRUNCATE ON due_results FROM ${runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP VIEW book; DROP TABLE due_results; DROP TABLE challenges; DROP TABLE authorizations; DROP TABLE operation_results; DROP TABLE operations',
    );
  }
}
