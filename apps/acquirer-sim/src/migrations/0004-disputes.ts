import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Disputes: what the payer's bank took back, what was answered, how it stands, and the money lines of it. */
export class Disputes1764000000000 implements MigrationInterface {
  readonly name = 'Disputes1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    const { runtime } = databaseNamesOf('acquirer-sim');
    await runner.query(`
      CREATE TABLE disputes (
        acquirer         text NOT NULL,
        dispute_id       text NOT NULL,
        authorization_id text NOT NULL,
        payment_id       text NOT NULL,
        merchant_id      text NOT NULL,
        amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
        currency         text NOT NULL,
        reason           text NOT NULL,
        evidence_due_by  timestamptz NOT NULL,
        created_at       timestamptz NOT NULL,
        PRIMARY KEY (acquirer, dispute_id),
        FOREIGN KEY (acquirer, authorization_id) REFERENCES authorizations (acquirer, authorization_id)
      );
      COMMENT ON TABLE disputes IS 'What was disputed. Append-only.';
      CREATE INDEX disputes_by_authorization ON disputes (acquirer, authorization_id);
      CREATE INDEX disputes_by_payment ON disputes (acquirer, payment_id);

      CREATE TABLE dispute_states (
        position         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        acquirer         text NOT NULL,
        dispute_id       text NOT NULL,
        status           text NOT NULL CHECK (status IN ('NEEDS_RESPONSE', 'UNDER_REVIEW', 'WON', 'LOST', 'ACCEPTED', 'EXPIRED')),
        created_at       timestamptz NOT NULL,
        UNIQUE (acquirer, dispute_id, status),
        FOREIGN KEY (acquirer, dispute_id) REFERENCES disputes (acquirer, dispute_id)
      );
      COMMENT ON TABLE dispute_states IS 'How each stood, and the feed of changes. Append-only; the highest position is how it stands now. Written under the lock of the acquirer''s disputes, so that positions are in commit order.';
      CREATE INDEX dispute_states_of_one ON dispute_states (acquirer, dispute_id, position DESC);
      CREATE INDEX dispute_states_feed ON dispute_states (acquirer, position);

      CREATE TABLE dispute_responses (
        acquirer         text NOT NULL,
        dispute_id       text NOT NULL,
        reference        text NOT NULL,
        response         text NOT NULL CHECK (response IN ('evidence', 'accept')),
        evidence         jsonb,
        created_at       timestamptz NOT NULL,
        PRIMARY KEY (acquirer, dispute_id),
        FOREIGN KEY (acquirer, dispute_id) REFERENCES disputes (acquirer, dispute_id)
      );
      COMMENT ON TABLE dispute_responses IS 'What the merchant answered. Append-only; the primary key is what makes it be answered once.';

      CREATE TABLE chargebacks (
        position         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        acquirer         text NOT NULL,
        dispute_id       text NOT NULL,
        kind             text NOT NULL CHECK (kind IN ('CHARGEBACK', 'CHARGEBACK_REVERSAL')),
        payment_id       text NOT NULL,
        merchant_id      text NOT NULL,
        amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
        currency         text NOT NULL,
        created_at       timestamptz NOT NULL,
        FOREIGN KEY (acquirer, dispute_id) REFERENCES disputes (acquirer, dispute_id)
      );
      COMMENT ON TABLE chargebacks IS 'Money that disputes took back, and gave back. Append-only. No constraint keeps a second one out: this is where one would be seen.';
      CREATE INDEX chargebacks_by_payment ON chargebacks (acquirer, payment_id, position DESC);
      CREATE INDEX chargebacks_newest ON chargebacks (acquirer, position DESC);

      CREATE TABLE due_disputes (
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        authorization_id text NOT NULL,
        amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
        due_at           timestamptz NOT NULL,
        PRIMARY KEY (acquirer, reference),
        FOREIGN KEY (acquirer, reference) REFERENCES operations (acquirer, reference)
      );
      COMMENT ON TABLE due_disputes IS 'Timers: captures whose payer will dispute them.';
      CREATE INDEX due_disputes_by_time ON due_disputes (due_at);

      CREATE TABLE due_dispute_states (
        acquirer         text NOT NULL,
        dispute_id       text NOT NULL,
        due_at           timestamptz NOT NULL,
        status           text NOT NULL CHECK (status IN ('WON', 'LOST', 'EXPIRED')),
        PRIMARY KEY (acquirer, dispute_id),
        FOREIGN KEY (acquirer, dispute_id) REFERENCES disputes (acquirer, dispute_id)
      );
      COMMENT ON TABLE due_dispute_states IS 'Timers: the deadline, and after evidence the decision.';
      CREATE INDEX due_dispute_states_by_time ON due_dispute_states (due_at);

      REVOKE UPDATE, DELETE, TRUNCATE ON disputes, dispute_states, dispute_responses, chargebacks FROM ${runtime};
      REVOKE TRUNCATE ON due_disputes, due_dispute_states FROM ${runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE due_dispute_states; DROP TABLE due_disputes; DROP TABLE chargebacks; DROP TABLE dispute_responses; DROP TABLE dispute_states; DROP TABLE disputes',
    );
  }
}
