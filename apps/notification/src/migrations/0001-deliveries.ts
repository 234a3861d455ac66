import { MESSAGING_DDL } from '@payflow/messaging';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who is told what, and what became of each delivery. */
export class Deliveries1764001000000 implements MigrationInterface {
  readonly name = 'Deliveries1764001000000';

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
