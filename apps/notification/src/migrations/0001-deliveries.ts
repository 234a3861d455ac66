import { MESSAGING_DDL } from '@payflow/messaging';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who is told what, and what became of each delivery. The words:
 * - event: what a merchant is told of, as the bytes that he gets
 * - feed: a merchant's events in the order in which they came to be told
 * - endpoint: where a merchant wants them sent
 * - delivery: one event on its way to one endpoint; PENDING is owed
 * - try: one request of a delivery
 */
export class Deliveries1764001000000 implements MigrationInterface {
  readonly name = 'Deliveries1764001000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${IDEMPOTENCY_DDL}
      ${MESSAGING_DDL}

      -- The row is locked until the transaction that gives out positions ends, so they are in the order of commits: a reader
      -- who has seen a position has seen all before it. A sequence would let a later commit have an earlier place.
      CREATE TABLE event_feeds (
        merchant_id   text   PRIMARY KEY,
        last_position bigint NOT NULL
      );

      CREATE TABLE events (
        event_id     text        PRIMARY KEY,
        merchant_id  text        NOT NULL,
        -- Its place in the merchant's feed. Null: a test, which is in no feed.
        position     bigint,
        type         text        NOT NULL,
        aggregate_id text        NOT NULL,
        sequence     bigint      NOT NULL,
        body         text        NOT NULL,
        occurred_at  timestamptz NOT NULL,
        -- By this database's clock, in the order of positions.
        received_at  timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE UNIQUE INDEX events_feed ON events (merchant_id, position);
      CREATE INDEX events_feed_of_type ON events (merchant_id, type, position) WHERE position IS NOT NULL;
      CREATE INDEX events_since ON events (merchant_id, received_at);
      CREATE INDEX events_received ON events (received_at);
      CREATE INDEX events_aggregate ON events (aggregate_id);

      CREATE TABLE webhook_endpoints (
        endpoint_id          text        PRIMARY KEY,
        merchant_id          text        NOT NULL,
        url                  text        NOT NULL,
        event_types          text[]      NOT NULL,
        description          text,
        ordered              boolean     NOT NULL,
        status               text        NOT NULL CHECK (status IN ('ENABLED', 'DISABLED', 'DELETED')),
        disabled_reason      text        CHECK (disabled_reason IN ('merchant', 'failing', 'gone')),
        failing_since        timestamptz,
        consecutive_failures int         NOT NULL DEFAULT 0,
        paused_until         timestamptz,
        version              bigint      NOT NULL DEFAULT 1,
        created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
        updated_at           timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX webhook_endpoints_merchant ON webhook_endpoints (merchant_id, endpoint_id) WHERE status <> 'DELETED';
      CREATE INDEX webhook_endpoints_deleted ON webhook_endpoints (updated_at) WHERE status = 'DELETED';

      -- Every secret that signs: the newest has no end.
      CREATE TABLE webhook_secrets (
        endpoint_id text        NOT NULL REFERENCES webhook_endpoints,
        version     int         NOT NULL,
        -- Both the HMAC secret and the Ed25519 key, sealed under a key that is not in the database.
        sealed      bytea       NOT NULL,
        public_key  text        NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at  timestamptz,
        PRIMARY KEY (endpoint_id, version)
      );

      CREATE TABLE webhook_deliveries (
        delivery_id     text        PRIMARY KEY,
        endpoint_id     text        NOT NULL REFERENCES webhook_endpoints,
        event_id        text        NOT NULL REFERENCES events,
        event_type      text        NOT NULL,
        aggregate_id    text        NOT NULL,
        sequence        bigint      NOT NULL,
        status          text        NOT NULL DEFAULT 'PENDING'
                                    CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED', 'CANCELED')),
        -- While it is in somebody's hands: when that lease ends.
        due_at          timestamptz NOT NULL,
        in_flight_until timestamptz,
        fence           bigint      NOT NULL DEFAULT 0,
        tries           int         NOT NULL DEFAULT 0,
        -- Of those since it was last asked for: where it stands in the schedule.
        round_tries     int         NOT NULL DEFAULT 0,
        created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at        timestamptz,
        CHECK ((status = 'PENDING') = (ended_at IS NULL)),
        -- One event is one delivery to an endpoint.
        UNIQUE (endpoint_id, event_id)
      );
      CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, due_at) WHERE status = 'PENDING';
      CREATE INDEX webhook_deliveries_order ON webhook_deliveries (endpoint_id, aggregate_id, sequence)
        WHERE status = 'PENDING';
      CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, delivery_id);
      CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);

      CREATE TABLE webhook_tries (
        delivery_id text        NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
        number      int         NOT NULL,
        endpoint_id text        NOT NULL,
        at          timestamptz NOT NULL,
        status_code int,
        -- Null: accepted.
        error       text,
        duration_ms int         NOT NULL,
        PRIMARY KEY (delivery_id, number)
      );
      CREATE INDEX webhook_tries_endpoint ON webhook_tries (endpoint_id, at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  }
}
