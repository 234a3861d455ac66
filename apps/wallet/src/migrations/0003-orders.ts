import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The wallet as a payment method: the orders of the payment service, payments that owners ask for, and QR codes. */
export class Orders1763807000000 implements MigrationInterface {
  readonly name = 'Orders1763807000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE wallet_orders (
        reference      text COLLATE "C" PRIMARY KEY,
        operation      text NOT NULL CHECK (operation IN ('authorize', 'capture', 'void', 'reverse', 'refund')),
        status         text NOT NULL CHECK (status IN ('WAITING', 'POSTING', 'APPROVED', 'DECLINED')),
        decline_code   text,
        payment_id     text COLLATE "C" NOT NULL,
        merchant_id    text NOT NULL,
        wallet_id      text COLLATE "C" REFERENCES wallets,
        hold_id        text COLLATE "C" REFERENCES wallet_holds,
        transaction_id text COLLATE "C" REFERENCES wallet_transactions,
        amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
        currency       text NOT NULL,
        description    text,
        expires_at     timestamptz,
        created_at     timestamptz NOT NULL,
        CHECK ((status = 'DECLINED') = (decline_code IS NOT NULL)),
        CHECK (status <> 'WAITING' OR (operation = 'authorize' AND expires_at IS NOT NULL))
      );
      COMMENT ON TABLE wallet_orders IS
        'The book of the acquirer wallet: one row for each order, for ever. A reversal of what never came leaves its authorization behind, declined.';
      COMMENT ON COLUMN wallet_orders.status IS
        'WAITING: for the approval of the wallet''s owner. POSTING: decided, and perhaps not posted yet.';
      CREATE INDEX wallet_orders_hold ON wallet_orders (hold_id) WHERE hold_id IS NOT NULL;
      CREATE INDEX wallet_orders_approvals ON wallet_orders (wallet_id, reference) WHERE expires_at IS NOT NULL;

      CREATE TABLE wallet_pays (
        transaction_id text COLLATE "C" PRIMARY KEY REFERENCES wallet_transactions,
        reference      text,
        description    text
      );
      COMMENT ON TABLE wallet_pays IS 'Of a transaction PAY that its owner asked for: what the merchant is told.';

      CREATE TABLE wallet_qr_uses (
        nonce          text PRIMARY KEY,
        transaction_id text COLLATE "C" NOT NULL REFERENCES wallet_transactions
      );
      COMMENT ON TABLE wallet_qr_uses IS 'Codes for one payment that are paid, or being paid. A payment that fails gives its code back.';
      CREATE INDEX wallet_qr_uses_transaction ON wallet_qr_uses (transaction_id);

      REVOKE DELETE, TRUNCATE ON wallet_orders, wallet_pays FROM ${databaseNamesOf('wallet').runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE wallet_qr_uses; DROP TABLE wallet_pays; DROP TABLE wallet_orders');
  }
}
