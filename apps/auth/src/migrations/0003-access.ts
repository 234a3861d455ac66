import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The journal of revocations, members of merchants, API keys, and secrets that overlap. */
export class Access1763700002000 implements MigrationInterface {
  readonly name = 'Access1763700002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(REVOCATIONS_DDL);
    await runner.query(MEMBERSHIPS_DDL);
    await runner.query(CREDENTIALS_DDL);
    await runner.query(AUDIT_LOG_DDL);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('not undone: drop the database'));
  }
}

const REVOCATIONS_DDL = `
-- Whose tokens are refused before their time, in the order of commits (store/revocations.ts). A row goes when the last
-- token that it concerns has expired; until null: never.
CREATE TABLE revocations (
  position   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject    text NOT NULL,
  revoked    boolean NOT NULL,
  until      timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revocations_subject ON revocations (subject);
CREATE INDEX revocations_until ON revocations (until);
`;

const MEMBERSHIPS_DDL = `
-- People who act for a merchant. An OWNER also manages its members, clients and keys. Who is INVITED does not act for it
-- until he accepts. invited_as: by which of his names, which is all that the merchant knows of him until then.
CREATE TABLE memberships (
  merchant_id text NOT NULL REFERENCES merchants (id),
  user_id     text NOT NULL REFERENCES users (id),
  role        text NOT NULL CHECK (role IN ('OWNER', 'MEMBER')),
  status      text NOT NULL CHECK (status IN ('INVITED', 'ACTIVE')),
  invited_as  jsonb CHECK ((invited_as IS NULL) = (status = 'ACTIVE')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (merchant_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

-- For whom the person acts in this session, when for anybody.
ALTER TABLE sessions ADD COLUMN merchant_id text REFERENCES merchants (id);
`;

const CREDENTIALS_DDL = `
-- After a rotation the secret before it works on until then.
ALTER TABLE oauth_clients
  ADD COLUMN previous_secret_hash bytea CHECK (octet_length(previous_secret_hash) = 32),
  ADD COLUMN previous_secret_until timestamptz,
  ADD CHECK ((previous_secret_hash IS NULL) = (previous_secret_until IS NULL));

-- principal_id: the client that the key speaks for. A key that takes another one's place speaks for the same client, so
-- that a request that is repeated under the new key is the same request (Idempotency-Key, ownership).
CREATE TABLE api_keys (
  id           text PRIMARY KEY CHECK (id ~ '^apk_'),
  secret_hash  bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
  hint         text NOT NULL CHECK (length(hint) = 4),
  merchant_id  text NOT NULL REFERENCES merchants (id),
  principal_id text NOT NULL CHECK (principal_id ~ '^cli_'),
  name         text NOT NULL,
  scopes       text[] NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
CREATE INDEX api_keys_merchant ON api_keys (merchant_id, id);
-- The keys whose end is still to come.
CREATE INDEX api_keys_ending ON api_keys (expires_at) WHERE revoked_at IS NULL AND expires_at IS NOT NULL;
`;

const AUDIT_LOG_DDL = `
CREATE INDEX audit_log_actor ON audit_log (actor, position);
CREATE INDEX audit_log_action ON audit_log (action, position);
`;
