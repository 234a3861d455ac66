import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments between two users that were asked for and wait until they are processed. */
export class TransferIntents1763810000000 implements MigrationInterface {
  readonly name = 'TransferIntents1763810000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE wallet_transfer_intents (
        id             text COLLATE "C" PRIMARY KEY,
        from_user      text COLLATE "C" NOT NULL,
        to_user        text COLLATE "C" NOT NULL,
        from_wallet_id text COLLATE "C" NOT NULL REFERENCES wallets,
        to_wallet_id   text COLLATE "C" NOT NULL REFERENCES wallets,
        amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
        currency       text NOT NULL,
        created_at     timestamptz NOT NULL,
        CHECK (from_wallet_id <> to_wallet_id)
      );
      COMMENT ON TABLE wallet_transfer_intents IS
        'Never changes: whether it was processed, the wallet transaction with the same id tells.';
      CREATE INDEX wallet_transfer_intents_from ON wallet_transfer_intents (from_user, created_at, id);
      CREATE INDEX wallet_transfer_intents_to ON wallet_transfer_intents (to_user, created_at, id);

      CREATE TABLE wallet_transfer_intent_keys (
        intent_id text COLLATE "C" PRIMARY KEY REFERENCES wallet_transfer_intents,
        key       text
      );
      COMMENT ON COLUMN wallet_transfer_intent_keys.key IS
        'The Idempotency-Key it was processed with: the same request again hears how it ended, another that it has.';

      REVOKE UPDATE, DELETE, TRUNCATE ON wallet_transfer_intents FROM ${databaseNamesOf('wallet').runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE wallet_transfer_intents');
  }
}
