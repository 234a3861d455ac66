/**
 * Messages of payment providers. A message is news, not truth: what it is about is asked at the provider, so that neither
 * its order nor its age matters. The body is not kept.
 */
export const PSP_WEBHOOKS_SCHEMA = `
CREATE TABLE psp_webhooks (
  provider      text        NOT NULL,
  -- The provider's own id, the same in each delivery of a message.
  webhook_id    text        NOT NULL,
  operation_id  text,
  -- The provider's id of the dispute that it is about, where it is about one.
  dispute_reference text,
  payment_id    text        REFERENCES payments,
  state         text        NOT NULL CHECK (state IN ('waiting', 'done', 'ignored')),
  reason        text,
  received_at   timestamptz NOT NULL DEFAULT now(),
  tries         int         NOT NULL DEFAULT 0,
  -- The timer, and the lease of whoever works on it; none once it is done.
  next_try_at   timestamptz,
  PRIMARY KEY (provider, webhook_id),
  CHECK ((next_try_at IS NOT NULL) = (state = 'waiting'))
);
CREATE INDEX psp_webhooks_waiting ON psp_webhooks (next_try_at) WHERE state = 'waiting';
CREATE INDEX psp_webhooks_payment ON psp_webhooks (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX psp_webhooks_age ON psp_webhooks (received_at);
`;
