/** Disputes of payments. `disputes` is folded from payment_events; what merchants write about one is in `dispute_evidence`. */
export const DISPUTES_SCHEMA = `
CREATE TABLE disputes (
  id                 text        PRIMARY KEY,
  payment_id         text        NOT NULL REFERENCES payments,
  merchant_id        text        NOT NULL,
  acquirer           text        NOT NULL,
  acquirer_reference text        NOT NULL,
  amount             bigint      NOT NULL CHECK (amount > 0),
  currency           char(3)     NOT NULL,
  status             text        NOT NULL CHECK (status IN ('NEEDS_RESPONSE', 'UNDER_REVIEW', 'WON', 'LOST', 'ACCEPTED', 'EXPIRED')),
  reason             text        NOT NULL,
  fee_minor          bigint      NOT NULL CHECK (fee_minor >= 0),
  fee_returned_minor bigint      NOT NULL CHECK (fee_returned_minor BETWEEN 0 AND fee_minor),
  evidence_due_by    timestamptz NOT NULL,
  response           text        CHECK (response IN ('evidence', 'accept')),
  responded_at       timestamptz,
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  closed_at          timestamptz,
  -- How often the row was changed or taken up: the fence of whoever looks at it. Tries since it was last changed.
  fence              bigint      NOT NULL DEFAULT 0,
  tries              int         NOT NULL DEFAULT 0,
  -- The timer, and the lease of whoever works on it; none once it has ended.
  next_look_at       timestamptz,
  -- A dispute that is told twice is one dispute.
  UNIQUE (acquirer, acquirer_reference),
  CHECK ((response IS NULL) = (responded_at IS NULL)),
  CHECK ((closed_at IS NOT NULL) = (status IN ('WON', 'LOST', 'ACCEPTED', 'EXPIRED'))),
  CHECK ((next_look_at IS NULL) = (closed_at IS NOT NULL))
);
CREATE INDEX disputes_payment ON disputes (payment_id);
CREATE INDEX disputes_merchant_newest ON disputes (merchant_id, created_at DESC, id DESC);
CREATE INDEX disputes_newest ON disputes (created_at DESC, id DESC);
CREATE INDEX disputes_open ON disputes (next_look_at) WHERE next_look_at IS NOT NULL;

-- As it was written last, or submitted. It is no event: people's words about people, which one may have to forget.
CREATE TABLE dispute_evidence (
  dispute_id text        PRIMARY KEY REFERENCES disputes,
  fields     jsonb       NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text        NOT NULL
);

-- How far the feed of each acquirer was read. next_sweep_at is also the lease of whoever reads it.
CREATE TABLE dispute_feeds (
  acquirer      text        PRIMARY KEY,
  position      bigint      NOT NULL DEFAULT 0,
  next_sweep_at timestamptz NOT NULL
);
`;
