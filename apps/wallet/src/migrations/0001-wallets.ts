import { MESSAGING_DDL } from '@payflow/messaging';
import { databaseNamesOf } from '@payflow/postgres';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Wallets, what moved between them, what is held of them, and the timers of everything that can be left half done. */
export class Wallets1763800000000 implements MigrationInterface {
  readonly name = 'Wallets1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE wallet_owners (
        user_id        text COLLATE "C" PRIMARY KEY,
        username       text,
        email          text,
        phone          text,
        email_verified boolean NOT NULL DEFAULT false,
        phone_verified boolean NOT NULL DEFAULT false,
        verified       boolean NOT NULL,
        status         text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'BLOCKED')),
        updated_at     timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON TABLE wallet_owners IS 'What the user events said of people. Auth is asked before somebody is refused for it.';
      COMMENT ON COLUMN wallet_owners.verified IS 'Nothing of the account waits for verification: it may move money.';
      CREATE INDEX wallet_owners_username ON wallet_owners (lower(username)) WHERE username IS NOT NULL;
      CREATE INDEX wallet_owners_email ON wallet_owners (email) WHERE email_verified;
      CREATE INDEX wallet_owners_phone ON wallet_owners (phone) WHERE phone_verified;

      CREATE TABLE wallets (
        id                 text COLLATE "C" PRIMARY KEY,
        owner_id           text COLLATE "C" NOT NULL,
        currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        status             text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'FROZEN')),
        frozen_reason      text,
        transfer_max_minor bigint CHECK (transfer_max_minor >= 0),
        day_max_minor      bigint CHECK (day_max_minor >= 0),
        spent_on           date,
        spent_minor        bigint NOT NULL DEFAULT 0 CHECK (spent_minor >= 0),
        version            bigint NOT NULL DEFAULT 1,
        created_at         timestamptz NOT NULL DEFAULT now(),
        CHECK ((status = 'FROZEN') = (frozen_reason IS NOT NULL))
      );
      COMMENT ON TABLE wallets IS 'The balance is the ledger''s: accounts user:{owner}:wallet:{id} and user:{owner}:wallet:{id}:held.';
      COMMENT ON COLUMN wallets.version IS 'Goes up with every change and with every movement, so that a balance kept under it is never stale.';
      COMMENT ON COLUMN wallets.spent_minor IS 'What left the wallet on the UTC day spent_on, what is under way included: for the limit of a day.';
      COMMENT ON COLUMN wallets.transfer_max_minor IS 'Set by staff; NULL: the setting holds.';
      CREATE INDEX wallets_by_owner ON wallets (owner_id, currency, created_at);

      CREATE TABLE wallet_transactions (
        id                    text COLLATE "C" PRIMARY KEY,
        type                  text NOT NULL CHECK (type IN ('ADD', 'TRANSFER', 'PAY', 'REFUND', 'WITHDRAW')),
        status                text NOT NULL CHECK (status IN ('PENDING', 'SUCCESS', 'FAILED')),
        reason                text,
        from_wallet_id        text COLLATE "C" REFERENCES wallets,
        to_wallet_id          text COLLATE "C" REFERENCES wallets,
        merchant_id           text,
        payment_id            text,
        hold_id               text,
        amount_minor          bigint NOT NULL CHECK (amount_minor > 0),
        currency              text NOT NULL,
        from_balance_after    bigint CHECK (from_balance_after >= 0),
        to_balance_after      bigint CHECK (to_balance_after >= 0),
        ledger_transaction_id text,
        posted_at             timestamptz,
        reversed_at           timestamptz,
        note                  text,
        counterparty          text,
        requested_by          text NOT NULL,
        key_scope             text,
        key                   text,
        spent_on              date,
        version               bigint NOT NULL DEFAULT 1,
        created_at            timestamptz NOT NULL,
        completed_at          timestamptz,
        CHECK (from_wallet_id IS NOT NULL OR to_wallet_id IS NOT NULL),
        CHECK (from_wallet_id <> to_wallet_id),
        CHECK ((status = 'PENDING') = (completed_at IS NULL)),
        CHECK ((status = 'FAILED') = (reason IS NOT NULL)),
        CHECK (status <> 'SUCCESS' OR ledger_transaction_id IS NOT NULL)
      );
      COMMENT ON COLUMN wallet_transactions.ledger_transaction_id IS
        'Of the posting wallet:{id}, the one by which the money left or came. NULL: nothing has moved.';
      COMMENT ON COLUMN wallet_transactions.posted_at IS 'When the ledger recorded that posting, by the ledger''s clock.';
      COMMENT ON COLUMN wallet_transactions.reversed_at IS 'When it recorded that the money came back (a claim, a withdrawal).';
      COMMENT ON COLUMN wallet_transactions.counterparty IS 'Outside of PayFlow''s wallets, masked: an address, a bank account.';
      COMMENT ON COLUMN wallet_transactions.key_scope IS 'With key: the idempotency key whose answer its end is.';
      COMMENT ON COLUMN wallet_transactions.spent_on IS 'The UTC day on whose limit it counts; given back when it fails.';
      CREATE INDEX wallet_transactions_from ON wallet_transactions (from_wallet_id, created_at);
      CREATE INDEX wallet_transactions_to ON wallet_transactions (to_wallet_id, created_at);
      CREATE INDEX wallet_transactions_pending ON wallet_transactions (created_at) WHERE status = 'PENDING';
      CREATE INDEX wallet_transactions_payment ON wallet_transactions (payment_id) WHERE payment_id IS NOT NULL;

      CREATE TABLE wallet_holds (
        id                   text COLLATE "C" PRIMARY KEY,
        wallet_id            text COLLATE "C" NOT NULL REFERENCES wallets,
        status               text NOT NULL CHECK (status IN ('PENDING', 'PLACED', 'CONFIRMED', 'VOIDED', 'EXPIRED', 'FAILED')),
        reason               text,
        amount_minor         bigint NOT NULL CHECK (amount_minor > 0),
        confirmed_minor      bigint NOT NULL DEFAULT 0 CHECK (confirmed_minor BETWEEN 0 AND amount_minor),
        released_minor       bigint NOT NULL DEFAULT 0 CHECK (released_minor BETWEEN 0 AND amount_minor - confirmed_minor),
        currency             text NOT NULL,
        reference            text,
        merchant_id          text,
        payment_id           text,
        step                 text CHECK (step IN ('place', 'confirm', 'void', 'expire')),
        step_transaction_id  text REFERENCES wallet_transactions,
        step_amount_minor    bigint,
        step_release_minor   bigint,
        requested_by         text NOT NULL,
        spent_on             date,
        expires_at           timestamptz NOT NULL,
        version              bigint NOT NULL DEFAULT 1,
        created_at           timestamptz NOT NULL,
        completed_at         timestamptz,
        CHECK ((status IN ('PENDING', 'PLACED')) = (completed_at IS NULL)),
        CHECK (status <> 'PENDING' OR step = 'place')
      );
      COMMENT ON TABLE wallet_holds IS
        'Open: amount - confirmed - released is what the wallet''s held account has of it.';
      COMMENT ON COLUMN wallet_holds.step IS 'Decided and perhaps not posted yet: what the ledger is asked for, again if need be.';
      CREATE INDEX wallet_holds_by_wallet ON wallet_holds (wallet_id, created_at);
      CREATE INDEX wallet_holds_payment ON wallet_holds (payment_id) WHERE payment_id IS NOT NULL;

      CREATE TABLE wallet_claims (
        transaction_id  text COLLATE "C" PRIMARY KEY REFERENCES wallet_transactions,
        channel         text NOT NULL CHECK (channel IN ('email', 'phone')),
        address         text NOT NULL,
        status          text NOT NULL CHECK (status IN ('OPENING', 'OPEN', 'PAYING', 'RETURNING', 'PAID', 'RETURNED', 'FAILED')),
        reason          text,
        to_wallet_id    text COLLATE "C" REFERENCES wallets,
        expires_at      timestamptz NOT NULL
      );
      COMMENT ON COLUMN wallet_claims.status IS
        'OPENING: on its way to wallet:claims. OPEN: it waits there for whoever verifies the address. PAYING, RETURNING: decided, perhaps not posted yet.';
      CREATE INDEX wallet_claims_open ON wallet_claims (channel, address) WHERE status = 'OPEN';

      CREATE TABLE wallet_timers (
        subject_id  text COLLATE "C" NOT NULL,
        kind        text NOT NULL,
        due_at      timestamptz NOT NULL,
        attempts    integer NOT NULL DEFAULT 0,
        lease_until timestamptz,
        fence       bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (subject_id, kind)
      );
      COMMENT ON TABLE wallet_timers IS
        'What is looked at again at a time: a transaction or hold (subject_id) that is under way. Whoever takes one up raises its fence.';
      CREATE INDEX wallet_timers_due ON wallet_timers (due_at);

      REVOKE DELETE, TRUNCATE ON wallets, wallet_transactions, wallet_holds, wallet_claims, wallet_owners
        FROM ${databaseNamesOf('wallet').runtime};

      ${IDEMPOTENCY_DDL}
      ${MESSAGING_DDL}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  }
}
