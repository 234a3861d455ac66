/**
 * Tables of the messaging library, for a service's first migration. The words:
 * - outbox: what is to be sent to Kafka, written in the transaction whose facts it tells
 * - gate: which event of an aggregate a consumer takes next
 * - parked: messages a consumer owns but cannot apply yet; with `due_at` it is tried then, without it waits for another
 * - dead letter: a message a consumer gave up; people decide, about one, or about many at once in a job
 */
export const MESSAGING_DDL = `
CREATE TABLE publication_sequences (
  aggregate_id  text   PRIMARY KEY,
  last_sequence bigint NOT NULL CHECK (last_sequence >= 0),
  last_by_topic jsonb  NOT NULL DEFAULT '{}'
);

CREATE TABLE outbox (
  position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic        text   NOT NULL,
  key          text,
  headers      jsonb  NOT NULL,
  -- An event's envelope as it is sent; a dead letter's copy has the original bytes instead (none when the value was null).
  envelope     text,
  raw          bytea,
  bytes        int    GENERATED ALWAYS AS (coalesce(octet_length(envelope), 0) + coalesce(octet_length(raw), 0)) STORED,
  aggregate_id text,
  sequence     bigint,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  published_at timestamptz,
  CHECK (envelope IS NULL OR raw IS NULL)
);
CREATE INDEX outbox_unpublished ON outbox (position) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
CREATE UNIQUE INDEX outbox_aggregate_sequence ON outbox (aggregate_id, sequence);

CREATE TABLE inbox (
  consumer    text NOT NULL,
  event_id    text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_received ON inbox (received_at);

CREATE TABLE gates (
  consumer       text   NOT NULL,
  aggregate_id   text   NOT NULL,
  next_sequence  bigint NOT NULL DEFAULT 1,
  gap_checked_at timestamptz,
  PRIMARY KEY (consumer, aggregate_id)
);

CREATE TABLE dead_letters (
  dead_letter_id  text PRIMARY KEY,
  consumer        text NOT NULL,
  status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replaying', 'replayed', 'discarded')),
  event_id        text,
  -- Whether the inbox holds the event for this letter. Not so for poison, whose ids are mere claims of the message.
  claimed         boolean NOT NULL,
  aggregate_id    text,
  sequence        bigint,
  topic           text NOT NULL,
  partition       int  NOT NULL,
  kafka_offset    bigint NOT NULL,
  key             bytea,
  headers         jsonb NOT NULL,
  value           bytea,
  digest          text NOT NULL,
  reason          text NOT NULL,
  error_line      text NOT NULL,
  attempts        int  NOT NULL,
  first_failed_at timestamptz NOT NULL,
  last_failed_at  timestamptz NOT NULL,
  -- What has one cause: ids and numbers in a reason aside, and where in the code it was thrown.
  group_id        text NOT NULL GENERATED ALWAYS AS (left(md5(
    consumer || '|' || topic || '|' ||
    regexp_replace(regexp_replace(reason, '[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{26}', '*', 'g'), '[0-9]+', '#', 'g') || '|' ||
    coalesce(substring(error_line FROM ' at (?:(?! at ).)*$'), '')), 12)) STORED,
  -- A message read again is the same dead letter; offsets alone are not enough, a new log counts from 0.
  UNIQUE (consumer, topic, partition, kafka_offset, digest)
);
CREATE INDEX dead_letters_unsettled ON dead_letters (consumer, aggregate_id, sequence)
  WHERE status IN ('open', 'replaying');
CREATE INDEX dead_letters_group ON dead_letters (status, group_id, dead_letter_id);

-- A replay or discard of many. Its letters are chosen when it is made; a batch of them, their new status and the count are
-- one commit, so it goes on where it was, in any instance, and no letter is taken twice.
CREATE TABLE dead_letter_jobs (
  job_id          text PRIMARY KEY,
  action          text NOT NULL CHECK (action IN ('replay', 'discard')),
  status          text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'canceled')),
  reason          text NOT NULL,
  principal_id    text NOT NULL,
  rate_per_second int  NOT NULL CHECK (rate_per_second > 0),
  total           int  NOT NULL,
  left_out        boolean NOT NULL,
  handled         int  NOT NULL DEFAULT 0,
  skipped         int  NOT NULL DEFAULT 0,
  next_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at     timestamptz
);
CREATE INDEX dead_letter_jobs_running ON dead_letter_jobs (next_at) WHERE status = 'running';

CREATE TABLE dead_letter_job_items (
  job_id         text NOT NULL REFERENCES dead_letter_jobs,
  dead_letter_id text NOT NULL REFERENCES dead_letters,
  waiting        boolean NOT NULL DEFAULT true,
  PRIMARY KEY (job_id, dead_letter_id)
);
CREATE INDEX dead_letter_job_items_waiting ON dead_letter_job_items (job_id, dead_letter_id) WHERE waiting;

CREATE TABLE dead_letter_actions (
  action_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dead_letter_id text NOT NULL REFERENCES dead_letters,
  job_id         text REFERENCES dead_letter_jobs,
  action         text NOT NULL CHECK (action IN ('replay', 'dry_run', 'discard')),
  principal_id   text NOT NULL,
  reason         text,
  outcome        text,
  at             timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX dead_letter_actions_letter ON dead_letter_actions (dead_letter_id, action_id);
CREATE INDEX dead_letter_actions_job ON dead_letter_actions (job_id, action_id) WHERE job_id IS NOT NULL;

CREATE TABLE parked (
  parked_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  consumer        text NOT NULL,
  -- Null while the inbox does not hold the event: a replayed dead letter that could not be decoded before.
  event_id        text,
  aggregate_id    text,
  sequence        bigint,
  topic           text NOT NULL,
  partition       int  NOT NULL,
  kafka_offset    bigint NOT NULL,
  key             bytea,
  headers         jsonb NOT NULL,
  value           bytea,
  attempts        int  NOT NULL DEFAULT 0,
  first_failed_at timestamptz,
  parked_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at          timestamptz,
  lease_until     timestamptz,
  fence           bigint NOT NULL DEFAULT 0,
  dead_letter_id  text REFERENCES dead_letters
);
CREATE INDEX parked_aggregate ON parked (consumer, aggregate_id, sequence);
CREATE INDEX parked_due ON parked (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX parked_dead_letter ON parked (dead_letter_id) WHERE dead_letter_id IS NOT NULL;

-- The truth of progress; Kafka's own offsets follow about a second later.
CREATE TABLE consumer_offsets (
  consumer    text   NOT NULL,
  topic       text   NOT NULL,
  partition   int    NOT NULL,
  next_offset bigint NOT NULL,
  -- The Kafka cluster the offset is of. One whose data was erased is another one: its offsets say nothing about this.
  cluster_id  text   NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, topic, partition)
);
`;
