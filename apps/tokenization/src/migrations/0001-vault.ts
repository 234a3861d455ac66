import { MESSAGING_DDL } from '@payflow/messaging';
import { databaseNamesOf } from '@payflow/postgres';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tokens with their sealed cards, the data keys they are sealed under, and who was sent a card when. */
export class Vault1763700000000 implements MigrationInterface {
  readonly name = 'Vault1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE vault_keys (
        version     integer PRIMARY KEY CHECK (version > 0),
        wrapped_key bytea NOT NULL,
        created_at  timestamptz NOT NULL,
        retired_at  timestamptz
      );
      COMMENT ON COLUMN vault_keys.wrapped_key IS
        'AES-256-GCM under VAULT_KEK, nonce first, tag last. Kept after retirement, so that a restored backup can be read.';

      CREATE TABLE vault_rotations (
        to_version  integer PRIMARY KEY REFERENCES vault_keys (version),
        cursor      text COLLATE "C" NOT NULL DEFAULT '',
        reencrypted integer NOT NULL DEFAULT 0,
        started_at  timestamptz NOT NULL,
        finished_at timestamptz
      );
      COMMENT ON COLUMN vault_rotations.cursor IS 'The last token that was re-encrypted; a rotation goes on after it.';

      CREATE TABLE tokens (
        token_id        text COLLATE "C" PRIMARY KEY,
        version         integer NOT NULL DEFAULT 1,
        merchant_id     text,
        user_id         text,
        brand           text NOT NULL,
        bin             text NOT NULL CHECK (length(bin) = 6),
        last4           text NOT NULL CHECK (length(last4) = 4),
        exp_month       smallint NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
        exp_year        smallint NOT NULL,
        fingerprint     text NOT NULL,
        test_card       boolean NOT NULL,
        reusable        boolean NOT NULL,
        key_version     integer NOT NULL REFERENCES vault_keys (version),
        sealed_number   bytea,
        sealed_holder   bytea,
        metadata        jsonb NOT NULL,
        created_at      timestamptz NOT NULL,
        expires_at      timestamptz,
        used_by_payment text,
        used_at         timestamptz,
        deleted_at      timestamptz,
        CHECK (merchant_id IS NOT NULL OR user_id IS NOT NULL),
        CHECK ((used_by_payment IS NULL) = (used_at IS NULL)),
        CONSTRAINT deleted_is_erased CHECK (deleted_at IS NULL OR (sealed_number IS NULL AND sealed_holder IS NULL))
      );
      COMMENT ON COLUMN tokens.sealed_number IS
        'AES-256-GCM under data key key_version, bound to token, owner, field and key version. NULL when erased.';
      COMMENT ON COLUMN tokens.fingerprint IS 'HMAC-SHA-256 of the card number under VAULT_FINGERPRINT_KEY (PCI DSS 3.5.1.1).';
      CREATE INDEX tokens_by_merchant ON tokens (merchant_id, token_id DESC);
      CREATE INDEX tokens_by_user ON tokens (user_id, token_id DESC);
      CREATE INDEX tokens_to_reencrypt ON tokens (key_version, token_id) WHERE sealed_number IS NOT NULL;

      -- Cards that are of no more use: of tokens used once, and of tokens whose life is over.
      CREATE INDEX tokens_spent ON tokens (LEAST(used_at, expires_at)) WHERE sealed_number IS NOT NULL;

      CREATE TABLE forwards (
        forward_id  text COLLATE "C" PRIMARY KEY,
        token_id    text COLLATE "C" NOT NULL,
        payment_id  text NOT NULL,
        attempt_id  text NOT NULL,
        merchant_id text NOT NULL,
        acquirer    text NOT NULL,
        path        text NOT NULL,
        caller      text NOT NULL,
        started_at  timestamptz NOT NULL,
        not_sent    boolean NOT NULL DEFAULT false
      );
      COMMENT ON COLUMN forwards.not_sent IS 'Not one byte of it reached the acquirer. False also while that is not known.';
      COMMENT ON TABLE forwards IS 'Append-only: every use of a card number, before it happens (PCI DSS 10.2.1.1).';
      CREATE INDEX forwards_by_token ON forwards (token_id, attempt_id);
      REVOKE UPDATE, DELETE, TRUNCATE ON forwards FROM ${databaseNamesOf('tokenization').runtime};
      GRANT UPDATE (not_sent) ON forwards TO ${databaseNamesOf('tokenization').runtime};
      REVOKE DELETE, TRUNCATE ON tokens, vault_keys FROM ${databaseNamesOf('tokenization').runtime};

      ${IDEMPOTENCY_DDL}
      ${MESSAGING_DDL}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  }
}
