/**
 * `payment_events` is the truth; every other table here is folded from it in the same transaction and can be rebuilt.
 * Amounts are integers of minor units. The CHECKs are named after the functions in domain/invariants.ts.
 */
export const PAYMENTS_SCHEMA = `
CREATE TABLE payment_events (
  payment_id   text        NOT NULL,
  version      bigint      NOT NULL CHECK (version >= 1),
  type         text        NOT NULL,
  data         jsonb       NOT NULL,
  occurred_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  request_id   text,
  principal_id text        NOT NULL,
  -- Two writers who read the same version collide here: the second one's transaction fails as a whole.
  PRIMARY KEY (payment_id, version)
);

CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'payment_events is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER payment_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history();
REVOKE UPDATE, DELETE, TRUNCATE ON payment_events FROM payflow_payment;

CREATE TABLE payments (
  id                    text        PRIMARY KEY,
  merchant_id           text        NOT NULL,
  user_id               text,
  amount                bigint      NOT NULL CHECK (amount > 0),
  currency              char(3)     NOT NULL,
  status                text        NOT NULL,
  -- The number of events, and the optimistic lock.
  version               bigint      NOT NULL CHECK (version >= 1),
  created_at            timestamptz NOT NULL,
  updated_at            timestamptz NOT NULL,
  metadata              jsonb       NOT NULL,
  authorized_minor      bigint      NOT NULL,
  capturable_minor      bigint      NOT NULL,
  captured_minor        bigint      NOT NULL,
  pending_capture_minor bigint      NOT NULL,
  refunded_minor        bigint      NOT NULL,
  pending_refund_minor  bigint      NOT NULL,
  fee_minor             bigint      NOT NULL,
  -- Open disputes; what the acquirer has taken back by them and by lost ones; what they cost the merchant.
  disputed_minor        bigint      NOT NULL,
  charged_back_minor    bigint      NOT NULL,
  dispute_fee_minor     bigint      NOT NULL,
  reference             text,
  description           text,
  statement_descriptor  text,
  return_url            text,
  client_secret_hash    text,
  payment_method        jsonb,
  -- What was said before any acquirer was asked, and the review; null: nobody was asked.
  fraud                 jsonb,
  acquirer              text,
  acquirer_reference    text,
  last_error            jsonb,
  action                jsonb,
  unanswered_reason     text,
  authorized_at         timestamptz,
  expires_at            timestamptz,
  expiry_due_at         timestamptz,
  captured_at           timestamptz,
  canceled_at           timestamptz,
  expired_at            timestamptz,
  CONSTRAINT captured_within_authorized CHECK (captured_minor + pending_capture_minor <= authorized_minor),
  CONSTRAINT refunded_within_captured CHECK (refunded_minor + pending_refund_minor <= captured_minor),
  CONSTRAINT fee_within_captured CHECK (fee_minor <= captured_minor),
  CONSTRAINT amounts_not_negative CHECK (
    least(authorized_minor, capturable_minor, captured_minor, pending_capture_minor, refunded_minor,
          pending_refund_minor, fee_minor, disputed_minor, charged_back_minor, dispute_fee_minor) >= 0),
  CONSTRAINT authorized_once CHECK (authorized_minor IN (0, amount))
);
CREATE INDEX payments_merchant_status ON payments (merchant_id, status);
CREATE INDEX payments_merchant_newest ON payments (merchant_id, created_at DESC, id DESC);
CREATE INDEX payments_user_newest ON payments (user_id, created_at DESC, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX payments_newest ON payments (created_at DESC, id DESC);
CREATE INDEX payments_reference ON payments (reference) WHERE reference IS NOT NULL;
-- The timers of authorizations that are still held.
CREATE INDEX payments_expiring ON payments (expiry_due_at) WHERE expiry_due_at IS NOT NULL;
CREATE INDEX payments_metadata ON payments USING gin (metadata jsonb_path_ops);

-- Each order to an acquirer. The id is the idempotency key there; the open ones are what recovery takes up.
CREATE TABLE payment_attempts (
  attempt_id         text        PRIMARY KEY,
  payment_id         text        NOT NULL REFERENCES payments,
  position           int         NOT NULL,
  operation          text        NOT NULL CHECK (operation IN ('authorize', 'capture', 'void', 'refund')),
  acquirer           text        NOT NULL,
  amount_minor       bigint      NOT NULL CHECK (amount_minor > 0),
  currency           char(3)     NOT NULL,
  state              text        NOT NULL CHECK (state IN ('requested', 'action_required', 'unanswered', 'approved', 'declined', 'failed')),
  -- Of an approval that the payment had no use for: late_success or partial_approval.
  unwanted           text        CHECK (unwanted IN ('late_success', 'partial_approval')),
  unanswered_reason  text,
  acquirer_reference text,
  failure            jsonb,
  started_at         timestamptz NOT NULL,
  finished_at        timestamptz,
  -- How often somebody took the open order up: the fence. Whoever took it up has it until the next time, which is none
  -- for a closed order. Inquiries counts those of the schedule, not those that somebody asked for in between.
  recoveries         int         NOT NULL DEFAULT 0,
  inquiries          int         NOT NULL DEFAULT 0,
  next_recovery_at   timestamptz,
  UNIQUE (payment_id, position),
  CHECK ((next_recovery_at IS NOT NULL) = (state IN ('requested', 'action_required', 'unanswered')))
);
CREATE INDEX payment_attempts_open ON payment_attempts (next_recovery_at) WHERE next_recovery_at IS NOT NULL;

-- What the machine cannot decide and people must: an acquirer that contradicts the record, an order nobody answers.
CREATE TABLE payment_exceptions (
  id           text        PRIMARY KEY,
  -- None of a dispute that names no payment of ours; its operation_id is the acquirer's name and its id of the dispute.
  payment_id   text        REFERENCES payments,
  merchant_id  text,
  operation_id text        NOT NULL,
  kind         text        NOT NULL CHECK (kind IN ('contradiction', 'stuck', 'void_declined', 'overdrawn', 'unrecorded_dispute')),
  detail       jsonb       NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  resolved_at  timestamptz,
  resolved_by  text,
  resolution   text,
  CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)),
  CHECK ((payment_id IS NULL) = (merchant_id IS NULL)),
  CHECK (payment_id IS NOT NULL OR kind = 'unrecorded_dispute'),
  UNIQUE (operation_id, kind)
);
CREATE INDEX payment_exceptions_open ON payment_exceptions (created_at DESC, id DESC) WHERE resolved_at IS NULL;

CREATE TABLE refunds (
  id          text        PRIMARY KEY,
  payment_id  text        NOT NULL REFERENCES payments,
  merchant_id text        NOT NULL,
  user_id     text,
  amount      bigint      NOT NULL CHECK (amount > 0),
  currency    char(3)     NOT NULL,
  status      text        NOT NULL CHECK (status IN ('PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
  reason      text,
  failure     jsonb,
  metadata    jsonb       NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL
);
CREATE INDEX refunds_payment ON refunds (payment_id);
CREATE INDEX refunds_merchant_newest ON refunds (merchant_id, created_at DESC, id DESC);
CREATE INDEX refunds_newest ON refunds (created_at DESC, id DESC);

-- Which acquirers payments are tried at. The highest version holds; the others say what held when.
CREATE TABLE routing_rules (
  version    bigint      PRIMARY KEY CHECK (version >= 1),
  rules      jsonb       NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text        NOT NULL
);
CREATE FUNCTION refuse_change_of_routing_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'routing_rules is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER routing_rules_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON routing_rules
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_routing_rules();
REVOKE UPDATE, DELETE, TRUNCATE ON routing_rules FROM payflow_payment;

-- The timers of payments that wait for people, or for fraud to come back. The payment's events say how they stand.
CREATE TABLE payment_reviews (
  payment_id       text        PRIMARY KEY REFERENCES payments,
  review_id        text,
  decide_by        timestamptz NOT NULL,
  -- Of a payment that waits until fraud is back: it is asked the same question again. Forgotten when it was answered.
  payer_ip         text,
  payer_ip_country text,
  payer_email      text,
  looks            int         NOT NULL DEFAULT 0,
  -- None once it is closed.
  next_look_at     timestamptz
);
CREATE INDEX payment_reviews_open ON payment_reviews (next_look_at) WHERE next_look_at IS NOT NULL;

-- Told with an intent, for fraud to look at when it is authorized: then it goes. Never in the history, which stays for ever.
CREATE TABLE payer_emails (
  payment_id text PRIMARY KEY REFERENCES payments,
  email      text NOT NULL
);

-- What each settlement took in of a payment: once.
CREATE TABLE payment_settlements (
  payment_id    text        NOT NULL REFERENCES payments,
  settlement_id text        NOT NULL,
  acquirer      text        NOT NULL,
  gross_minor   bigint      NOT NULL,
  fee_minor     bigint      NOT NULL,
  net_minor     bigint      NOT NULL,
  settled_at    timestamptz NOT NULL,
  PRIMARY KEY (payment_id, settlement_id),
  CHECK (gross_minor - fee_minor = net_minor)
);

-- What becomes of a merchant's payments that fraud does not judge in time.
CREATE TABLE merchant_fraud_policies (
  merchant_id      text        PRIMARY KEY,
  when_down        text        NOT NULL CHECK (when_down IN ('allow_under', 'review', 'refuse')),
  amount_max_minor bigint      NOT NULL CHECK (amount_max_minor >= 0),
  changed_at       timestamptz NOT NULL,
  changed_by       text        NOT NULL
);

CREATE TABLE merchant_fee_terms (
  merchant_id  text        NOT NULL,
  currency     char(3)     NOT NULL,
  basis_points int         NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
  fixed_minor  bigint      NOT NULL CHECK (fixed_minor >= 0),
  changed_at   timestamptz NOT NULL,
  changed_by   text        NOT NULL,
  PRIMARY KEY (merchant_id, currency)
);
`;
