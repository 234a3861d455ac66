/**
 * The ledger's tables. Who may do what stands here too: the journal is append-only by privilege for the service's own role,
 * and by trigger for everyone, its owner included.
 */
export const JOURNAL_SCHEMA = `
-- Domains are checked when a value is set; a table's CHECK would run these patterns at each change of a balance.
CREATE DOMAIN account_code AS text COLLATE "C" CHECK (VALUE ~ '^[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,64}){0,7}$');
CREATE DOMAIN currency_code AS text COLLATE "C" CHECK (VALUE ~ '^[A-Z]{3}$');

CREATE TABLE accounts (
  seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id          text COLLATE "C" NOT NULL UNIQUE,
  code        account_code NOT NULL,
  currency    currency_code NOT NULL,
  floor       bigint,
  -- A cache of the entries, for deciding and for reading. The audit computes it again.
  balance     bigint NOT NULL DEFAULT 0,
  entry_count bigint NOT NULL DEFAULT 0 CHECK (entry_count >= 0),
  -- Whose account it is: merchant:{id}:… and his hold memo. Nobody's otherwise.
  merchant_id text COLLATE "C" GENERATED ALWAYS AS (substring(code from '^(?:memo:)?merchant:([^:]+):')) STORED,
  created_at  timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
  CONSTRAINT accounts_code_currency UNIQUE (code, currency),
  CONSTRAINT accounts_floor_kept CHECK (balance >= floor)
) WITH (fillfactor = 70); -- room for updated balances beside the old: no index is touched
CREATE INDEX accounts_merchant ON accounts (merchant_id, seq) WHERE merchant_id IS NOT NULL;

-- The journal's head: one row. Whoever commits transactions locks it first, so positions have no gaps and follow the order
-- of commits, and recorded_at never goes back, whatever the clock does.
CREATE TABLE journal_head (
  singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  position    bigint NOT NULL CHECK (position >= 0),
  -- Of the batch that moved it last. Who finds the one he expects knows that nobody was in between.
  batch       uuid NOT NULL DEFAULT gen_random_uuid(),
  recorded_at timestamptz NOT NULL
) WITH (fillfactor = 50);
INSERT INTO journal_head (position, recorded_at) VALUES (0, date_trunc('milliseconds', clock_timestamp()));

CREATE TABLE transactions (
  position           bigint PRIMARY KEY CHECK (position > 0),
  id                 text COLLATE "C" NOT NULL UNIQUE,
  -- Posts once for ever.
  reference          text COLLATE "C" NOT NULL UNIQUE,
  content_hash       bytea NOT NULL CHECK (octet_length(content_hash) = 32),
  type               text COLLATE "C" NOT NULL,
  effective_at       timestamptz NOT NULL,
  recorded_at        timestamptz NOT NULL,
  payment_id         text COLLATE "C",
  merchant_id        text COLLATE "C",
  event_id           text COLLATE "C",
  acquirer_reference text,
  reverts            text COLLATE "C" REFERENCES transactions (id),
  posted_by          text,
  correlation_id     text,
  metadata           jsonb NOT NULL DEFAULT '{}'
);
-- There is one reversal at most. Partial: nearly all transactions take nothing back.
CREATE UNIQUE INDEX transactions_reverts ON transactions (reverts) WHERE reverts IS NOT NULL;
CREATE INDEX transactions_payment ON transactions (payment_id) WHERE payment_id IS NOT NULL;

-- References of services that were refused for lack of money: they never post, however late a copy of the request arrives.
CREATE TABLE final_refusals (
  reference  text COLLATE "C" PRIMARY KEY,
  refusal    jsonb NOT NULL,
  refused_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Two for each posting: line 2n - 1 debits, line 2n credits. recorded_at grows with position, so every index that ends in
-- (recorded_at, position, line) reads in journal order and finds a time by search.
CREATE TABLE entries (
  id            text COLLATE "C" NOT NULL UNIQUE,
  position      bigint NOT NULL,
  line          integer NOT NULL CHECK (line > 0),
  account       bigint NOT NULL,
  direction     text COLLATE "C" NOT NULL CHECK (direction IN ('debit', 'credit')),
  amount        bigint NOT NULL CHECK (amount > 0),
  currency      text COLLATE "C" NOT NULL,
  balance_after bigint NOT NULL,
  entry_type    text COLLATE "C" NOT NULL,
  payment_id    text COLLATE "C",
  merchant_id   text COLLATE "C",
  recorded_at   timestamptz NOT NULL,
  PRIMARY KEY (recorded_at, position, line),
  CONSTRAINT entries_direction_by_line CHECK ((direction = 'debit') = (line % 2 = 1))
);
CREATE UNIQUE INDEX entries_account ON entries (account, recorded_at, position, line);
CREATE INDEX entries_merchant ON entries (merchant_id, recorded_at, position, line) WHERE merchant_id IS NOT NULL;
CREATE INDEX entries_payment ON entries (payment_id, recorded_at, position, line) WHERE payment_id IS NOT NULL;

-- Invariant 1 (spec §5): debits equal credits, per currency, in every transaction. An entry belongs to a transaction, and has
-- the currency of its account. A transaction's entries come in one statement, whole (lines 1, 2, 3 …), so that nothing is added
-- to it later and one look at each statement's rows is enough; and since neither transactions nor accounts are ever deleted, it
-- does what foreign keys would do, at a quarter of their cost (2,000 entries: 5 ms against 19).
-- The plans are kept for as long as a session lives, perhaps since the tables were empty: whatever they grow to, each row
-- is looked up by its key.
CREATE FUNCTION refuse_broken_entries() RETURNS trigger LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  broken bigint;
BEGIN
  SELECT position INTO broken FROM added
   GROUP BY position, currency
  HAVING sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END) <> 0
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'transaction % does not balance', broken USING ERRCODE = 'check_violation';
  END IF;
  SELECT e.account INTO broken FROM (SELECT DISTINCT account, currency FROM added) AS e
    LEFT JOIN accounts a ON a.seq = e.account
   WHERE a.currency IS DISTINCT FROM e.currency
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no account % of that currency', broken USING ERRCODE = 'foreign_key_violation';
  END IF;
  SELECT e.position INTO broken
    FROM (SELECT position, min(recorded_at) AS earliest, max(recorded_at) AS latest, min(line) AS first, max(line) AS last,
                 count(*) AS lines
            FROM added GROUP BY position) AS e
    LEFT JOIN transactions t ON t.position = e.position
   WHERE t.recorded_at IS DISTINCT FROM e.earliest OR t.recorded_at IS DISTINCT FROM e.latest
      OR e.first <> 1 OR e.last <> e.lines
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the entries of transaction % are not added whole and with it', broken
      USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entries_sound AFTER INSERT ON entries REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_broken_entries();

-- Append-only, for everyone. ALWAYS: also where session_replication_role switches other triggers off.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'nothing is taken out of %: % refused; correct by a reversing transaction', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_kept BEFORE DELETE OR TRUNCATE ON accounts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE accounts ENABLE ALWAYS TRIGGER accounts_kept;
ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_append_only;
ALTER TABLE transactions ENABLE ALWAYS TRIGGER transactions_append_only;
ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_sound;

-- Each entry with its account and its transaction: what the requirement documents call the table of ledger entries.
CREATE VIEW ledger_entries AS
SELECT e.id, t.id AS transaction_id, e.position, e.line, e.account AS account_seq, a.id AS account_id,
       a.code AS account, a.merchant_id AS account_merchant_id,
       e.entry_type, e.direction, e.amount, e.currency, e.balance_after, e.payment_id, e.merchant_id,
       COALESCE(t.acquirer_reference, t.reference) AS reference, t.metadata, e.recorded_at AS created_at
  FROM entries e
  JOIN transactions t ON t.position = e.position
  JOIN accounts a ON a.seq = e.account;

-- Append-only, by privilege: the service's role reads and adds. Of an account it changes the cached balance and nothing else.
REVOKE UPDATE, DELETE, TRUNCATE ON entries, transactions, final_refusals FROM payflow_ledger;
REVOKE UPDATE, DELETE, TRUNCATE ON accounts FROM payflow_ledger;
GRANT UPDATE (balance, entry_count) ON accounts TO payflow_ledger;
REVOKE INSERT, DELETE, TRUNCATE ON journal_head FROM payflow_ledger;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ledger_entries FROM payflow_ledger;
`;
