import { MESSAGING_DDL } from '@payflow/messaging';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What payments are judged by, the judgements, and what is known of cards, people and addresses. */
export class FraudRules1764000000000 implements MigrationInterface {
  readonly name = 'FraudRules1764000000000';

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
