import { databaseNamesOf } from '@payflow/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Our books beside those of the acquirers and the bank, line by line, and what people do about the differences. */
export class Reconciliation1764003000000 implements MigrationInterface {
  readonly name = 'Reconciliation1764003000000';

  async up(runner: QueryRunner): Promise<void> {
    const { runtime } = databaseNamesOf('settlement');
    await runner.query(`
      CREATE TABLE reconciliation_sources (
        source           text PRIMARY KEY,
        covered_from     timestamptz,
        covered_until    timestamptz,
        next_run_at      timestamptz NOT NULL,
        CHECK ((covered_from IS NULL) = (covered_until IS NULL))
      );
      COMMENT ON TABLE reconciliation_sources IS 'The acquirers and the bank. covered: from the first to the last time that their reports told of so far; what lies between may have gaps. next_run_at: the daily timer; whoever moves it on starts the run.';

      CREATE TABLE expected_lines (
        source           text NOT NULL,
        type             text NOT NULL,
        reference        text NOT NULL,
        payment_id       text,
        merchant_id      text,
        amount_minor     bigint NOT NULL,
        currency         text NOT NULL,
        fee_minor        bigint NOT NULL DEFAULT 0,
        occurred_at      timestamptz NOT NULL,
        seen_in          text,
        by_correction    boolean NOT NULL DEFAULT false,
        PRIMARY KEY (source, type, reference)
      );
      COMMENT ON TABLE expected_lines IS 'What our books say that the other side must tell of. Signed as the report lines are. A posted correction brings it to what the other side said.';
      COMMENT ON COLUMN expected_lines.seen_in IS 'The last report that has it.';
      COMMENT ON COLUMN expected_lines.by_correction IS 'A correction brought it in. An event that tells of it afterwards has posted it a second time: that stands beside it, as {reference}:again.';
      CREATE INDEX expected_lines_unseen ON expected_lines (source, occurred_at) WHERE seen_in IS NULL;

      CREATE TABLE imported_reports (
        id               text COLLATE "C" PRIMARY KEY,
        position         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        source           text NOT NULL,
        their_id         text NOT NULL,
        sha256           bytea NOT NULL,
        period_from      timestamptz NOT NULL,
        period_to        timestamptz NOT NULL,
        line_count       int NOT NULL,
        totals           jsonb NOT NULL,
        imported_by      text NOT NULL,
        run_id           text COLLATE "C" NOT NULL,
        created_at       timestamptz NOT NULL,
        UNIQUE (source, sha256),
        CHECK (period_from < period_to)
      );
      COMMENT ON TABLE imported_reports IS 'Files that were read in, whole: a report is here with all of its lines or not at all. The hash makes the same file the same report.';
      CREATE INDEX imported_reports_by_source ON imported_reports (source, id DESC);

      CREATE TABLE report_lines (
        report_id        text COLLATE "C" NOT NULL,
        line             int NOT NULL,
        source           text NOT NULL,
        type             text NOT NULL,
        reference        text NOT NULL,
        their_reference  text,
        payment_id       text,
        amount_minor     bigint NOT NULL,
        currency         text NOT NULL,
        fee_minor        bigint NOT NULL,
        occurred_at      timestamptz NOT NULL,
        verdict          text CHECK (verdict IN ('matched', 'differs', 'duplicate', 'unknown')),
        PRIMARY KEY (report_id, line)
      );
      COMMENT ON COLUMN report_lines.line IS 'Where in the file: the line of a CSV file, the number of the entry of a statement.';
      COMMENT ON COLUMN report_lines.verdict IS 'NULL: not compared yet, or too young to be missed here.';
      CREATE INDEX report_lines_by_reference ON report_lines (source, type, reference);
      CREATE INDEX report_lines_open ON report_lines (source, report_id, line) WHERE verdict IS NULL;
      CREATE INDEX report_lines_unknown ON report_lines (source, type, reference) WHERE verdict = 'unknown';

      CREATE TABLE reconciliation_runs (
        id               text COLLATE "C" PRIMARY KEY,
        source           text NOT NULL REFERENCES reconciliation_sources (source),
        status           text NOT NULL CHECK (status IN ('RUNNING', 'DONE', 'FAILED')),
        report_id        text,
        period_from      timestamptz,
        period_to        timestamptz,
        grace_seconds    int NOT NULL,
        lines_matched    int NOT NULL DEFAULT 0,
        exceptions_opened int NOT NULL DEFAULT 0,
        exceptions_closed int NOT NULL DEFAULT 0,
        failure          text,
        requested_by     text NOT NULL,
        created_at       timestamptz NOT NULL,
        finished_at      timestamptz,
        next_attempt_at  timestamptz,
        lease_until      timestamptz,
        fence            bigint NOT NULL DEFAULT 0,
        CHECK ((status = 'RUNNING') = (finished_at IS NULL)),
        CHECK ((status = 'RUNNING') = (next_attempt_at IS NOT NULL))
      );
      COMMENT ON TABLE reconciliation_runs IS 'Comparisons. report_id NULL while RUNNING: the report is still to be fetched. A run that its process left is taken up by the next one, after its lease.';
      CREATE INDEX reconciliation_runs_due ON reconciliation_runs (next_attempt_at) WHERE status = 'RUNNING';
      CREATE INDEX reconciliation_runs_by_source ON reconciliation_runs (source, id DESC);

      CREATE TABLE settlement_exceptions (
        id               text COLLATE "C" PRIMARY KEY,
        source           text NOT NULL,
        kind             text NOT NULL CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'currency', 'duplicate', 'fee')),
        status           text NOT NULL CHECK (status IN ('OPEN', 'RESOLVED')),
        type             text NOT NULL,
        reference        text NOT NULL,
        occurrence       text NOT NULL,
        run_id           text COLLATE "C" NOT NULL REFERENCES reconciliation_runs (id),
        report_id        text,
        line             int,
        their_reference  text,
        payment_id       text,
        merchant_id      text,
        expected_minor   bigint,
        expected_currency text,
        actual_minor     bigint,
        currency         text NOT NULL,
        assigned_to      text,
        resolution       text,
        resolved_by      text,
        resolved_at      timestamptz,
        created_at       timestamptz NOT NULL,
        UNIQUE (source, kind, type, reference, occurrence),
        CHECK ((status = 'RESOLVED') = (resolved_at IS NOT NULL))
      );
      COMMENT ON COLUMN settlement_exceptions.occurrence IS 'What makes it another difference of the same line: of a duplicate which entry it is (time, their reference, the how manieth), else the amounts that differ. The same one is never raised twice.';
      CREATE INDEX settlement_exceptions_open ON settlement_exceptions (source, kind, id) WHERE status = 'OPEN';
      CREATE INDEX settlement_exceptions_by_run ON settlement_exceptions (run_id, id DESC);
      CREATE INDEX settlement_exceptions_by_payment ON settlement_exceptions (payment_id, id DESC) WHERE payment_id IS NOT NULL;

      CREATE TABLE corrections (
        id               text COLLATE "C" PRIMARY KEY,
        exception_id     text COLLATE "C" NOT NULL REFERENCES settlement_exceptions (id),
        status           text NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'POSTED', 'REFUSED', 'FAILED')),
        postings         jsonb NOT NULL,
        reason           text NOT NULL,
        proposed_by      text NOT NULL,
        proposed_at      timestamptz NOT NULL,
        decided_by       text,
        decided_at       timestamptz,
        ledger_transaction_id text,
        failure          text,
        next_attempt_at  timestamptz,
        CHECK ((status = 'APPROVED') = (next_attempt_at IS NOT NULL)),
        CONSTRAINT four_eyes CHECK (status NOT IN ('APPROVED', 'POSTED') OR decided_by <> proposed_by)
      );
      CREATE UNIQUE INDEX corrections_under_way ON corrections (exception_id) WHERE status IN ('PENDING', 'APPROVED', 'POSTED');
      CREATE INDEX corrections_by_exception ON corrections (exception_id, id);
      CREATE INDEX corrections_due ON corrections (next_attempt_at) WHERE status = 'APPROVED';

      REVOKE DELETE, TRUNCATE ON expected_lines, settlement_exceptions, corrections, reconciliation_runs FROM ${runtime};
      REVOKE UPDATE, DELETE, TRUNCATE ON imported_reports FROM ${runtime};
      REVOKE DELETE, TRUNCATE ON report_lines FROM ${runtime};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE corrections; DROP TABLE settlement_exceptions; DROP TABLE reconciliation_runs; DROP TABLE report_lines; DROP TABLE imported_reports; DROP TABLE expected_lines; DROP TABLE reconciliation_sources',
    );
  }
}
