import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Money that comes from outside and goes there: the sagas of additions and withdrawals, and what people must look at. */
export class Payouts1763805000000 implements MigrationInterface {
  readonly name = 'Payouts1763805000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE wallet_additions (
        transaction_id   text COLLATE "C" PRIMARY KEY REFERENCES wallet_transactions,
        owner_id         text NOT NULL,
        payment_method   jsonb NOT NULL,
        return_url       text,
        stage            text NOT NULL CHECK (stage IN ('PAYING', 'WAITING', 'POSTING', 'REFUNDING', 'ADDED', 'NOT_PAID', 'REFUNDED')),
        payment_id       text,
        reason           text,
        next_action      jsonb,
        asked            integer NOT NULL DEFAULT 0
      );
      COMMENT ON TABLE wallet_additions IS 'Of a transaction ADD: its payment to PayFlow''s wallet merchant, and how far it is.';
      COMMENT ON COLUMN wallet_additions.payment_method IS 'A token or the name of a bank, as the payment is asked for. Never a card number.';
      COMMENT ON COLUMN wallet_additions.asked IS 'How often it was looked at again: where it stands in the schedule.';

      CREATE TABLE wallet_withdrawals (
        transaction_id   text COLLATE "C" PRIMARY KEY REFERENCES wallet_transactions,
        bank             text NOT NULL,
        account_sealed   bytea,
        stage            text NOT NULL CHECK (stage IN ('DEBITING', 'SENDING', 'ASKING', 'CANCELING', 'SETTLING', 'REVERSING',
                           'RETURNING', 'NOT_DEBITED', 'PAID', 'REVERSED', 'RETURNED')),
        reason           text,
        came_back        boolean NOT NULL DEFAULT false,
        asked            integer NOT NULL DEFAULT 0,
        CHECK (account_sealed IS NULL OR stage IN ('DEBITING', 'SENDING'))
      );
      COMMENT ON TABLE wallet_withdrawals IS 'Of a transaction WITHDRAW: its payout at the bank, and how far it is.';
      COMMENT ON COLUMN wallet_withdrawals.account_sealed IS
        'Number and holder, AES-256-GCM under BANK_ACCOUNT_KEY, for as long as the bank may have to be told; wallet_transactions.counterparty has it masked.';

      CREATE TABLE bank_feeds (
        bank             text PRIMARY KEY,
        position         bigint NOT NULL DEFAULT 0
      );
      COMMENT ON TABLE bank_feeds IS 'How far the bank''s changes were read.';

      CREATE TABLE wallet_exceptions (
        id               text COLLATE "C" PRIMARY KEY,
        transaction_id   text COLLATE "C" NOT NULL REFERENCES wallet_transactions,
        kind             text NOT NULL CHECK (kind IN ('stuck', 'contradiction')),
        detail           text NOT NULL,
        created_at       timestamptz NOT NULL DEFAULT now(),
        resolved_at      timestamptz,
        resolved_by      text,
        resolution       text,
        UNIQUE (transaction_id, kind, detail),
        CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)),
        CHECK ((resolved_at IS NULL) = (resolution IS NULL))
      );
      COMMENT ON TABLE wallet_exceptions IS 'What the machine cannot decide and people must. Told again, it is the same case.';
      CREATE INDEX wallet_exceptions_open ON wallet_exceptions (id) WHERE resolved_at IS NULL;

      REVOKE DELETE, TRUNCATE ON wallet_additions, wallet_withdrawals, bank_feeds, wallet_exceptions
        FROM ${databaseNamesOf('wallet').runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE wallet_exceptions; DROP TABLE bank_feeds; DROP TABLE wallet_withdrawals; DROP TABLE wallet_additions',
    );
  }
}
