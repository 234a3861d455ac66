import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a person's account is made of beside its names: sessions, codes, second factors, and the mailbox of the demo. */
export class Accounts1763700001000 implements MigrationInterface {
  readonly name = 'Accounts1763700001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SESSIONS_DDL);
    await runner.query(CODES_DDL);
    await runner.query(SECOND_FACTORS_DDL);
    await runner.query(MAILBOX_DDL);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('accounts are not undone: drop the database'));
  }
}

const SESSIONS_DDL = `
-- One login of a person. Access tokens name it (sid) and end with it.
CREATE TABLE sessions (
  id           text PRIMARY KEY CHECK (id ~ '^ses_'),
  user_id      text NOT NULL REFERENCES users (id),
  created_at   timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  end_reason   text CHECK (end_reason IN ('logout', 'password', 'reuse', 'blocked', 'revoked')),
  address      text NOT NULL,
  user_agent   text,
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_user ON sessions (user_id, created_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Every refresh token of a session, as its SHA-256: also those that were rotated, because a rotated one that comes again
-- was stolen, and that must be seen.
CREATE TABLE refresh_tokens (
  hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
  session_id text NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  rotated_at timestamptz,
  -- The one that took its place.
  successor  bytea CHECK (octet_length(successor) = 32),
  CHECK ((rotated_at IS NULL) = (successor IS NULL))
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
-- One of a session can be used; the others have been.
CREATE UNIQUE INDEX refresh_tokens_one_open ON refresh_tokens (session_id) WHERE rotated_at IS NULL;
`;

const CODES_DDL = `
-- Six digits that went to an address. A new code of the same purpose takes the place of the old one.
CREATE TABLE account_codes (
  user_id    text NOT NULL REFERENCES users (id),
  purpose    text NOT NULL CHECK (purpose IN ('verification', 'password_reset')),
  channel    text NOT NULL CHECK (channel IN ('email', 'phone')),
  address    text NOT NULL,
  -- HMAC under a key that is not in the database: a plain hash of a million values is none.
  code_hash  bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  tries      integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, purpose, channel)
);
CREATE INDEX account_codes_address ON account_codes (address, purpose);
CREATE INDEX account_codes_expires_at ON account_codes (expires_at);
`;

const SECOND_FACTORS_DDL = `
-- confirmed_at null: enrolled, and not asked for yet.
CREATE TABLE second_factors (
  user_id       text PRIMARY KEY REFERENCES users (id),
  secret_sealed bytea NOT NULL,
  created_at    timestamptz NOT NULL,
  confirmed_at  timestamptz
);

-- RFC 6238 §5.2: a code is taken once. The row is the taking.
CREATE TABLE totp_steps (
  user_id text NOT NULL REFERENCES users (id),
  step    bigint NOT NULL,
  PRIMARY KEY (user_id, step)
);

CREATE TABLE recovery_codes (
  user_id   text NOT NULL REFERENCES users (id),
  code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  used_at   timestamptz,
  PRIMARY KEY (user_id, code_hash)
);
`;

const MAILBOX_DDL = `
-- What would have gone out by mail or SMS, with its code in clear. Filled in demo mode only, and emptied after an hour.
CREATE TABLE dev_mailbox (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  to_address text NOT NULL,
  channel    text NOT NULL CHECK (channel IN ('email', 'sms')),
  purpose    text NOT NULL,
  subject    text,
  body       text NOT NULL,
  code       text,
  sent_at    timestamptz NOT NULL
);
CREATE INDEX dev_mailbox_to ON dev_mailbox (to_address, position);
CREATE INDEX dev_mailbox_age ON dev_mailbox (sent_at);
`;
