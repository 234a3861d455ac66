import { MESSAGING_DDL } from '@payflow/messaging';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users, merchants, OAuth2 clients, signing keys, login throttling, and the log of who changed what. */
export class Identity1763700000000 implements MigrationInterface {
  readonly name = 'Identity1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(IDENTITY_DDL);
    await runner.query(AUDIT_DDL);
    await runner.query(IDEMPOTENCY_DDL);
    await runner.query(MESSAGING_DDL);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('the first migration is not undone: drop the database'));
  }
}

const IDENTITY_DDL = `
-- Login names are stored in the spelling under which they are unique (domain/login-name.ts).
CREATE TABLE users (
  id            text PRIMARY KEY CHECK (id ~ '^usr_'),
  username      text UNIQUE,
  email         text,
  phone         text,
  -- Null: claimed and not proven. Any number of people may claim an address; one of them can prove it (docs/identity.md).
  email_verified_at timestamptz CHECK (email_verified_at IS NULL OR email IS NOT NULL),
  phone_verified_at timestamptz CHECK (phone_verified_at IS NULL OR phone IS NOT NULL),
  -- An address that takes the place of the one above once it is proven.
  pending_email text,
  pending_phone text,
  password_hash text NOT NULL CHECK (password_hash ~ '^\\$argon2id\\$'),
  name          text,
  status        text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'BLOCKED')),
  roles         text[] NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  CHECK (num_nonnulls(username, email, phone) >= 1)
);
CREATE UNIQUE INDEX users_email_proven ON users (email) WHERE email_verified_at IS NOT NULL;
CREATE UNIQUE INDEX users_phone_proven ON users (phone) WHERE phone_verified_at IS NOT NULL;
CREATE INDEX users_email ON users (email, created_at) WHERE email IS NOT NULL;
CREATE INDEX users_phone ON users (phone, created_at) WHERE phone IS NOT NULL;
CREATE INDEX users_pending_email ON users (pending_email) WHERE pending_email IS NOT NULL;
CREATE INDEX users_pending_phone ON users (pending_phone) WHERE pending_phone IS NOT NULL;

CREATE TABLE merchants (
  id         text PRIMARY KEY CHECK (id ~ '^mer_'),
  name       text NOT NULL,
  status     text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'BLOCKED')),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- In the merchant's page for everybody to read: it names him and proves nothing.
CREATE TABLE publishable_keys (
  key         text PRIMARY KEY CHECK (key ~ '^pk_test_'),
  merchant_id text NOT NULL REFERENCES merchants (id),
  created_at  timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz
);
CREATE INDEX publishable_keys_merchant ON publishable_keys (merchant_id);

-- cli_… acts for a merchant, or for nobody in particular (a ledger client); svc_… is one of our own services.
CREATE TABLE oauth_clients (
  id          text PRIMARY KEY CHECK (id ~ '^(cli|svc)_'),
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  merchant_id text REFERENCES merchants (id),
  kind        text NOT NULL CHECK (kind IN ('client', 'service')),
  roles       text[] NOT NULL,
  scopes      text[] NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz
);
CREATE INDEX oauth_clients_merchant ON oauth_clients (merchant_id) WHERE merchant_id IS NOT NULL;

-- active_from null: the next key, published and not yet signing. retire_at: when the last token it signed has expired.
CREATE TABLE signing_keys (
  kid                text PRIMARY KEY,
  public_jwk         jsonb NOT NULL,
  private_key_sealed bytea NOT NULL,
  created_at         timestamptz NOT NULL DEFAULT now(),
  active_from        timestamptz,
  retire_at          timestamptz,
  CHECK (retire_at IS NULL OR active_from IS NOT NULL)
);
CREATE UNIQUE INDEX signing_keys_one_current ON signing_keys ((true)) WHERE active_from IS NOT NULL AND retire_at IS NULL;
CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys ((true)) WHERE active_from IS NULL;

-- One row for each account or address that a password was tried for lately, existing or not.
CREATE TABLE login_throttle (
  subject         text PRIMARY KEY,
  failures        integer NOT NULL CHECK (failures > 0),
  last_failure_at timestamptz NOT NULL,
  blocked_until   timestamptz
);
CREATE INDEX login_throttle_age ON login_throttle (last_failure_at);
`;

const AUDIT_DDL = `
CREATE TABLE audit_log (
  position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  occurred_at timestamptz NOT NULL DEFAULT now(),
  actor       text NOT NULL,
  action      text NOT NULL,
  target      text NOT NULL,
  request_id  text,
  details     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_target ON audit_log (target, position);

-- By privilege for the service, and by trigger for the owner too.
CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'payflow_auth') THEN
    REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM payflow_auth;
  END IF;
END $$;
`;
