import { MESSAGING_DDL } from '@payflow/messaging';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What merchants are owed, the batches that settle it, and the payouts. */
export class Balances1764002000000 implements MigrationInterface {
  readonly name = 'Balances1764002000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${IDEMPOTENCY_DDL}
      ${MESSAGING_DDL}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  }
}
