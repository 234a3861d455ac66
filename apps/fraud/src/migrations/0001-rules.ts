import { MESSAGING_DDL } from '@payflow/messaging';
import { databaseNamesOf } from '@payflow/postgres';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What payments are judged by, the judgements, and what is known of cards, people and addresses. */
export class FraudRules1764000000000 implements MigrationInterface {
  readonly name = 'FraudRules1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    const { runtime } = databaseNamesOf('fraud');
    await runner.query(`
      ${IDEMPOTENCY_DDL}
      ${MESSAGING_DDL}

      CREATE TABLE fraud_rule_sets (
        version        bigint PRIMARY KEY CHECK (version > 0),
        rule_set       json NOT NULL,
        created_at     timestamptz NOT NULL,
        created_by     text NOT NULL
      );
      COMMENT ON TABLE fraud_rule_sets IS 'Each version of the rules, for ever: decisions name theirs. Version 0 is in the code.';

      CREATE TABLE fraud_decisions (
        id             text COLLATE "C" PRIMARY KEY,
        subject        text NOT NULL CHECK (subject IN ('payment', 'wallet_transfer', 'wallet_withdrawal')),
        subject_id     text COLLATE "C" NOT NULL UNIQUE,
        request_hash   bytea NOT NULL,
        request        json NOT NULL,
        merchant_id    text COLLATE "C",
        user_id        text COLLATE "C",
        fingerprint    text COLLATE "C",
        ip             text COLLATE "C",
        amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
        currency       text NOT NULL,
        outcome        text NOT NULL CHECK (outcome IN ('ALLOW', 'REVIEW', 'BLOCK')),
        score          smallint NOT NULL CHECK (score BETWEEN 0 AND 100),
        reasons        json NOT NULL,
        shadow         json NOT NULL,
        features       json NOT NULL,
        rules_version  bigint NOT NULL,
        review_id      text COLLATE "C",
        decide_by      timestamptz,
        at             timestamptz NOT NULL,
        decided_at     timestamptz NOT NULL,
        CHECK ((outcome = 'REVIEW') = (review_id IS NOT NULL)),
        CHECK ((review_id IS NULL) = (decide_by IS NULL))
      );
      COMMENT ON TABLE fraud_decisions IS 'What the rules said, for ever: the subject''s id is the idempotency key.';
      COMMENT ON COLUMN fraud_decisions.request_hash IS 'Of who pays whom how much with what: the same id with other content is refused.';
      COMMENT ON COLUMN fraud_decisions.ip IS 'Under which it is counted: of IPv6 the /64. The address itself is in the request.';
      COMMENT ON COLUMN fraud_decisions.at IS 'When it is counted: the time of the attempt as its owner tells it, never later than now.';
      CREATE INDEX fraud_decisions_merchant ON fraud_decisions (merchant_id, id);
      CREATE INDEX fraud_decisions_stopped ON fraud_decisions (outcome, id) WHERE outcome <> 'ALLOW';
      CREATE INDEX fraud_decisions_at ON fraud_decisions USING brin (at);

      CREATE TABLE fraud_rule_matches (
        decision_id    text COLLATE "C" NOT NULL REFERENCES fraud_decisions,
        rule_id        text COLLATE "C" NOT NULL,
        mode           text NOT NULL CHECK (mode IN ('ENFORCED', 'SHADOW')),
        decided_at     timestamptz NOT NULL,
        PRIMARY KEY (decision_id, rule_id)
      );
      COMMENT ON TABLE fraud_rule_matches IS 'Which rules spoke, for their statistics.';
      CREATE INDEX fraud_rule_matches_decided ON fraud_rule_matches (decided_at);

      CREATE TABLE fraud_reviews (
        id             text COLLATE "C" PRIMARY KEY,
        decision_id    text COLLATE "C" NOT NULL UNIQUE REFERENCES fraud_decisions,
        merchant_id    text COLLATE "C" NOT NULL,
        payment_id     text COLLATE "C" NOT NULL,
        status         text NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED')),
        decide_by      timestamptz NOT NULL,
        created_at     timestamptz NOT NULL,
        decided_at     timestamptz,
        decided_by     text,
        reason         text,
        CHECK ((status = 'PENDING') = (decided_at IS NULL)),
        CHECK ((decided_at IS NULL) = (decided_by IS NULL))
      );
      COMMENT ON TABLE fraud_reviews IS 'What people decide. The row is the timer too: what is PENDING behind its deadline is rejected.';
      CREATE INDEX fraud_reviews_due ON fraud_reviews (decide_by) WHERE status = 'PENDING';
      CREATE INDEX fraud_reviews_status ON fraud_reviews (status, id);
      CREATE INDEX fraud_reviews_payment ON fraud_reviews (payment_id);

      CREATE TABLE fraud_list_entries (
        id             text COLLATE "C" PRIMARY KEY,
        list           text NOT NULL,
        value          text COLLATE "C" NOT NULL,
        network        inet,
        reason         text NOT NULL,
        expires_at     timestamptz,
        created_at     timestamptz NOT NULL,
        created_by     text NOT NULL,
        removed_at     timestamptz,
        removed_by     text,
        CHECK ((removed_at IS NULL) = (removed_by IS NULL))
      );
      COMMENT ON TABLE fraud_list_entries IS 'Who is blocked or allowed, since when and by whom. What was removed stays, to be asked about.';
      CREATE UNIQUE INDEX fraud_list_entries_value ON fraud_list_entries (list, value) WHERE removed_at IS NULL;
      CREATE INDEX fraud_list_entries_page ON fraud_list_entries (list, id) WHERE removed_at IS NULL;
      CREATE INDEX fraud_list_entries_network ON fraud_list_entries USING gist (network inet_ops)
        WHERE removed_at IS NULL AND network IS NOT NULL;

      CREATE TABLE fraud_outcomes (
        payment_id     text COLLATE "C" PRIMARY KEY,
        declined_at    timestamptz,
        captured_at    timestamptz,
        refunded_at    timestamptz,
        disputed_at    timestamptz
      );
      COMMENT ON TABLE fraud_outcomes IS 'What became of payments, when it happened first, as their events tell.';

      CREATE TABLE fraud_velocity (
        kind           text NOT NULL CHECK (kind IN ('fingerprint', 'user', 'merchant', 'ip')),
        value          text COLLATE "C" NOT NULL,
        minute         timestamptz NOT NULL,
        currency       text NOT NULL,
        shard          smallint NOT NULL,
        attempts       bigint NOT NULL,
        declines       bigint NOT NULL,
        amount_minor   bigint NOT NULL,
        PRIMARY KEY (kind, value, minute, currency, shard)
      ) WITH (fillfactor = 70);
      COMMENT ON TABLE fraud_velocity IS 'Attempts and declines of a minute. Made anew from fraud_decisions and fraud_outcomes at any time.';
      COMMENT ON COLUMN fraud_velocity.shard IS 'A busy merchant or card is counted in several rows, so that decisions do not wait for each other.';
      CREATE INDEX fraud_velocity_minute ON fraud_velocity (minute);

      CREATE TABLE fraud_cards_seen (
        kind           text NOT NULL CHECK (kind IN ('user', 'merchant', 'ip')),
        value          text COLLATE "C" NOT NULL,
        fingerprint    text COLLATE "C" NOT NULL,
        minute         timestamptz NOT NULL,
        PRIMARY KEY (kind, value, fingerprint)
      ) WITH (fillfactor = 70);
      COMMENT ON TABLE fraud_cards_seen IS 'When each card was last seen with each of them: those seen since the begin of a window are its distinct cards.';
      -- Over an expression, so that nobody who looks for one card finds it here, among all cards of its merchant.
      CREATE INDEX fraud_cards_seen_window ON fraud_cards_seen (((kind || ' ' || value) COLLATE "C"), minute);
      CREATE INDEX fraud_cards_seen_minute ON fraud_cards_seen (minute);

      REVOKE UPDATE, DELETE, TRUNCATE ON fraud_rule_sets, fraud_decisions, fraud_rule_matches FROM ${runtime};
      REVOKE DELETE, TRUNCATE ON fraud_reviews, fraud_list_entries FROM ${runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  }
}
