import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the acquirers and the bank tell of their books, and the errors they are told to make in it. */
export class Reports1764003000000 implements MigrationInterface {
  readonly name = 'Reports1764003000000';

  async up(runner: QueryRunner): Promise<void> {
    const { runtime } = databaseNamesOf('acquirer-sim');
    await runner.query(`
      CREATE TABLE issued_reports (
        report_id        text PRIMARY KEY,
        issuer           text NOT NULL,
        period_from      timestamptz NOT NULL,
        period_to        timestamptz NOT NULL,
        content          text NOT NULL,
        created_at       timestamptz NOT NULL,
        CHECK (period_from < period_to)
      );
      COMMENT ON TABLE issued_reports IS 'Settlement reports and statements, as they were first sent: an id is answered with the same bytes for ever.';

      CREATE TABLE report_errors (
        error_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        issuer           text NOT NULL,
        kind             text NOT NULL,
        reference        text,
        made_in          text REFERENCES issued_reports (report_id),
        created_at       timestamptz NOT NULL
      );
      COMMENT ON TABLE report_errors IS 'What the next report gets wrong. made_in NULL: it waits for that report.';
      CREATE INDEX report_errors_waiting ON report_errors (issuer, error_id) WHERE made_in IS NULL;

      CREATE INDEX operation_results_by_time ON operation_results (acquirer, created_at);
      CREATE INDEX bank_book_by_time ON bank_book (bank, created_at);

      REVOKE UPDATE, DELETE, TRUNCATE ON issued_reports FROM ${runtime};
      REVOKE DELETE, TRUNCATE ON report_errors FROM ${runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP INDEX bank_book_by_time; DROP INDEX operation_results_by_time; DROP TABLE report_errors; DROP TABLE issued_reports',
    );
  }
}
