import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How the simulator is steered, and the webhooks that it sends. */
export class Controls1763800000000 implements MigrationInterface {
  readonly name = 'Controls1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    const { runtime } = databaseNamesOf('acquirer-sim');
    await runner.query(`
      CREATE TABLE modes (
        mode_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        acquirer         text NOT NULL,
        operation        text,
        payment_id       text,
        mode             text NOT NULL,
        latency_ms       int,
        times_left       int CHECK (times_left >= 0),
        created_at       timestamptz NOT NULL,
        UNIQUE NULLS NOT DISTINCT (acquirer, operation, payment_id)
      );
      COMMENT ON TABLE modes IS 'How operations are treated that come next. NULL in a filter: any. times_left NULL: until it is set again.';

      CREATE TABLE lost_requests (
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        PRIMARY KEY (acquirer, reference)
      );
      COMMENT ON TABLE lost_requests IS 'Requests that a card let fall before their effect. The same one is served when it comes again.';

      CREATE TABLE webhooks (
        position         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        webhook_id       text NOT NULL,
        acquirer         text NOT NULL,
        reference        text NOT NULL,
        payment_id       text NOT NULL,
        body             text NOT NULL,
        created_at       timestamptz NOT NULL,
        send_at          timestamptz NOT NULL,
        copies_left      int NOT NULL CHECK (copies_left >= 0),
        held             boolean NOT NULL,
        replay           boolean NOT NULL,
        timestamp_offset_seconds int NOT NULL,
        bad_signature    boolean NOT NULL,
        attempts         int NOT NULL DEFAULT 0,
        last_status      int,
        ended_at         timestamptz,
        ended_as         text CHECK (ended_as IN ('delivered', 'given_up')),
        CHECK ((ended_at IS NULL) = (ended_as IS NULL))
      );
      COMMENT ON COLUMN webhooks.reference IS 'Of the operation, or the id of the dispute, that it tells of.';
      COMMENT ON TABLE webhooks IS 'The outbox: written with the change that it tells of, sent until it is accepted.';
      CREATE INDEX webhooks_due ON webhooks (send_at) WHERE ended_at IS NULL;
      CREATE INDEX webhooks_held ON webhooks (acquirer, payment_id, position) WHERE ended_at IS NULL AND held;
      CREATE INDEX webhooks_by_reference ON webhooks (acquirer, reference, position);

      REVOKE UPDATE, DELETE, TRUNCATE ON lost_requests FROM ${runtime};
      REVOKE DELETE, TRUNCATE ON webhooks FROM ${runtime};
      REVOKE TRUNCATE ON modes FROM ${runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE webhooks; DROP TABLE lost_requests; DROP TABLE modes');
  }
}
