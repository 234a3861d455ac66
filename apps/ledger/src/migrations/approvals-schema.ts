/** What people ask for and a second person decides. Expired is one that still waits when its time is over: no timer runs. */
export const APPROVALS_SCHEMA = `
CREATE TABLE ledger_approvals (
  id              text COLLATE "C" PRIMARY KEY,
  kind            text NOT NULL CHECK (kind IN ('posting', 'reversal')),
  status          text NOT NULL DEFAULT 'WAITING' CHECK (status IN ('WAITING', 'APPROVED', 'REFUSED')),
  -- As it came: {transactions: […]}.
  request         jsonb,
  reverts         text COLLATE "C" REFERENCES transactions (id),
  correlation_id  text,
  requested_by    text NOT NULL,
  requested_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at      timestamptz NOT NULL,
  decided_by      text,
  decided_at      timestamptz,
  reason          text,
  transaction_ids text[] NOT NULL DEFAULT '{}',
  CHECK ((kind = 'posting') = (request IS NOT NULL)),
  CHECK ((kind = 'reversal') = (reverts IS NOT NULL)),
  CONSTRAINT decided_by_another CHECK (decided_by <> requested_by),
  CHECK ((status = 'WAITING') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
  CHECK ((status = 'APPROVED') = (cardinality(transaction_ids) > 0))
);
CREATE INDEX ledger_approvals_status ON ledger_approvals (status, id);

-- What was asked for is not changed, and nothing is forgotten.
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_approvals FROM payflow_ledger;
GRANT UPDATE (status, decided_by, decided_at, reason, transaction_ids) ON ledger_approvals TO payflow_ledger;
`;
