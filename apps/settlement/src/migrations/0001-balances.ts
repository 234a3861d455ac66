import { MESSAGING_DDL } from '@payflow/messaging';
import { databaseNamesOf } from '@payflow/postgres';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What merchants are owed, the batches that settle it, and the payouts. */
export class Balances1764002000000 implements MigrationInterface {
  readonly name = 'Balances1764002000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE balance_transactions (
        id                 text COLLATE "C" PRIMARY KEY,
        merchant_id        text COLLATE "C" NOT NULL,
        currency           text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        acquirer           text COLLATE "C",
        type               text NOT NULL CHECK (type IN ('capture', 'refund', 'refund_failure', 'dispute', 'dispute_reversal', 'reserve',
                             'reserve_release', 'payout', 'payout_failure', 'payout_return', 'adjustment')),
        gross_minor        bigint NOT NULL,
        fee_minor          bigint NOT NULL,
        net_minor          bigint NOT NULL GENERATED ALWAYS AS (gross_minor - fee_minor) STORED,
        payment_id         text COLLATE "C",
        sequence           bigint,
        reference          text,
        acquirer_reference text,
        settlement_id      text COLLATE "C",
        payout_id          text COLLATE "C",
        occurred_at        timestamptz NOT NULL,
        available_on       timestamptz NOT NULL,
        created_at         timestamptz NOT NULL DEFAULT now(),
        UNIQUE (payment_id, sequence),
        CHECK ((payment_id IS NULL) = (sequence IS NULL)),
        CHECK (acquirer IS NULL OR payment_id IS NOT NULL)
      );
      COMMENT ON TABLE balance_transactions IS
        'What changed what a merchant is owed. One for each event of a payment that moved money; the others are of payouts and reserves.';
      COMMENT ON COLUMN balance_transactions.acquirer IS 'Who pays or takes it. NULL: a movement within the balance, or out of it; no batch settles it.';
      COMMENT ON COLUMN balance_transactions.reference IS 'cap_, ref_ or dp_.';
      COMMENT ON COLUMN balance_transactions.settlement_id IS 'The one batch that took it in, for ever.';
      CREATE INDEX balance_transactions_merchant ON balance_transactions (merchant_id, id);
      CREATE INDEX balance_transactions_settlement ON balance_transactions (settlement_id, id) WHERE settlement_id IS NOT NULL;
      -- In the order in which the job takes them, so that a chunk reads no more than a chunk.
      CREATE INDEX balance_transactions_unsettled
        ON balance_transactions (merchant_id, currency, acquirer, payment_id, sequence) INCLUDE (available_on)
        WHERE settlement_id IS NULL AND acquirer IS NOT NULL;

      CREATE TABLE merchant_balances (
        merchant_id     text COLLATE "C" NOT NULL,
        currency        text COLLATE "C" NOT NULL,
        pending_minor   bigint NOT NULL DEFAULT 0,
        available_minor bigint NOT NULL DEFAULT 0,
        reserved_minor  bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (merchant_id, currency)
      );
      COMMENT ON TABLE merchant_balances IS
        'Kept with each balance transaction, in its commit, so that reading a balance reads one row. Pending and available are the sum of its balance transactions (audit, 13).';
      CREATE INDEX merchant_balances_available ON merchant_balances (merchant_id, currency) WHERE available_minor > 0;

      CREATE TABLE settlement_runs (
        id               text COLLATE "C" PRIMARY KEY,
        merchant_id      text COLLATE "C",
        cutoff_at        timestamptz NOT NULL,
        scheduled_for    timestamptz UNIQUE,
        requested_by     text,
        phase            text NOT NULL DEFAULT 'SETTLING' CHECK (phase IN ('SETTLING', 'PAYING', 'DONE')),
        cursor           text[] NOT NULL DEFAULT '{}',
        chunks           integer NOT NULL DEFAULT 0,
        line_count       bigint NOT NULL DEFAULT 0,
        settlement_count integer NOT NULL DEFAULT 0,
        payout_count     integer NOT NULL DEFAULT 0,
        rounds           integer NOT NULL DEFAULT 0,
        waits_until      timestamptz,
        lease_until      timestamptz,
        fence            bigint NOT NULL DEFAULT 0,
        created_at       timestamptz NOT NULL DEFAULT now(),
        finished_at      timestamptz,
        CHECK ((phase = 'DONE') = (finished_at IS NOT NULL)),
        CHECK (waits_until IS NULL OR phase = 'PAYING')
      );
      COMMENT ON TABLE settlement_runs IS 'Passes of the job, one after the other. A chunk moves the cursor in its own commit.';
      COMMENT ON COLUMN settlement_runs.cursor IS 'The last line that was taken: merchant, currency, acquirer, payment; then the last merchant and currency that was paid.';
      COMMENT ON COLUMN settlement_runs.scheduled_for IS 'One run for each time of the schedule, however many instances see it come.';
      COMMENT ON COLUMN settlement_runs.rounds IS 'How often it went through its merchants; behind the first round only those that are set aside are left.';
      COMMENT ON COLUMN settlement_runs.waits_until IS 'The next round begins then; other runs go ahead meanwhile.';
      CREATE INDEX settlement_runs_unfinished ON settlement_runs (id) WHERE phase <> 'DONE';

      CREATE TABLE settlement_set_asides (
        run_id      text COLLATE "C" NOT NULL REFERENCES settlement_runs,
        merchant_id text COLLATE "C" NOT NULL,
        currency    text COLLATE "C" NOT NULL,
        failures    integer NOT NULL DEFAULT 1,
        reason      text NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (run_id, merchant_id, currency)
      );
      COMMENT ON TABLE settlement_set_asides IS
        'Whom a run could not close: his batches of it stay open. Whichever run closes him closes them all, and takes his rows away.';
      CREATE INDEX settlement_set_asides_merchant ON settlement_set_asides (merchant_id, currency);

      CREATE TABLE settlements (
        id             text COLLATE "C" PRIMARY KEY,
        run_id         text COLLATE "C" NOT NULL REFERENCES settlement_runs,
        merchant_id    text COLLATE "C" NOT NULL,
        acquirer       text COLLATE "C" NOT NULL,
        currency       text COLLATE "C" NOT NULL,
        bank           text NOT NULL,
        status         text NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'COMPLETED')),
        cutoff_at      timestamptz NOT NULL,
        line_count     bigint NOT NULL DEFAULT 0,
        gross_minor    bigint NOT NULL DEFAULT 0,
        refunds_minor  bigint NOT NULL DEFAULT 0,
        disputes_minor bigint NOT NULL DEFAULT 0,
        fees_minor     bigint NOT NULL DEFAULT 0,
        reserved_minor bigint NOT NULL DEFAULT 0,
        net_minor      bigint NOT NULL
                         GENERATED ALWAYS AS (gross_minor - refunds_minor - disputes_minor - fees_minor - reserved_minor) STORED,
        payout_id      text COLLATE "C",
        created_at     timestamptz NOT NULL DEFAULT now(),
        completed_at   timestamptz,
        UNIQUE (run_id, merchant_id, currency, acquirer),
        CHECK ((status = 'COMPLETED') = (completed_at IS NOT NULL))
      );
      COMMENT ON TABLE settlements IS 'A batch: what one acquirer owes for one merchant in one currency, up to a cut-off.';
      CREATE INDEX settlements_merchant ON settlements (merchant_id, id);
      CREATE INDEX settlements_open ON settlements (run_id, merchant_id, currency) WHERE status = 'OPEN';
      CREATE INDEX settlements_unpaid ON settlements (merchant_id, currency) WHERE payout_id IS NULL;
      CREATE INDEX settlements_payout ON settlements (payout_id) WHERE payout_id IS NOT NULL;

      CREATE TABLE payouts (
        id             text COLLATE "C" PRIMARY KEY,
        merchant_id    text COLLATE "C" NOT NULL,
        run_id         text COLLATE "C" NOT NULL REFERENCES settlement_runs,
        amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
        currency       text COLLATE "C" NOT NULL,
        bank           text NOT NULL,
        way            text NOT NULL DEFAULT 'api' CHECK (way IN ('api', 'file')),
        file_part      integer,
        stage          text NOT NULL CHECK (stage IN ('WAITING', 'DEBITING', 'SENDING', 'ASKING', 'CANCELING', 'SETTLING', 'REVERSING',
                         'RETURNING', 'UNDOING', 'REDEBITING', 'PAID', 'NOT_DEBITED', 'REVERSED', 'RETURNED')),
        status         text NOT NULL CHECK (status IN ('PENDING', 'IN_TRANSIT', 'PAID', 'FAILED', 'RETURNED')),
        reason         text,
        came_back      boolean NOT NULL DEFAULT false,
        attention      text,
        account_sealed bytea,
        account_masked text,
        bank_reference text,
        asked          integer NOT NULL DEFAULT 0,
        due_at         timestamptz,
        lease_until    timestamptz,
        fence          bigint NOT NULL DEFAULT 0,
        created_at     timestamptz NOT NULL DEFAULT now(),
        sent_at        timestamptz,
        paid_at        timestamptz,
        ended_at       timestamptz,
        CHECK (file_part IS NULL OR way = 'file')
      );
      COMMENT ON TABLE payouts IS 'Money on its way to merchants. due_at is its timer: whoever takes it up raises the fence.';
      COMMENT ON COLUMN payouts.stage IS 'Where its saga stands (domain/payout.ts); status is what the merchant is told.';
      COMMENT ON COLUMN payouts.account_sealed IS 'As the merchant''s account was when it was found, so that each repetition names the same; AES-256-GCM under BANK_ACCOUNT_KEY.';
      COMMENT ON COLUMN payouts.way IS 'How the bank is told of it, for ever: by its API, or in a file that people hand in. Never both: it would be paid twice.';
      COMMENT ON COLUMN payouts.file_part IS 'The one file of its run that orders it; NULL: none has been fetched yet.';
      CREATE INDEX payouts_due ON payouts (due_at) WHERE due_at IS NOT NULL;
      CREATE INDEX payouts_merchant ON payouts (merchant_id, id);
      CREATE INDEX payouts_run ON payouts (run_id, id);
      CREATE INDEX payouts_waiting ON payouts (merchant_id) WHERE stage = 'WAITING';

      CREATE TABLE payout_decisions (
        position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        payout_id   text COLLATE "C" NOT NULL REFERENCES payouts,
        stage       text NOT NULL,
        attention   text NOT NULL,
        outcome     text CHECK (outcome IN ('PAID', 'NOT_PAID')),
        reason      text NOT NULL,
        decided_by  text NOT NULL,
        decided_at  timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON TABLE payout_decisions IS 'Who took up a payout that people had to look at, with what had been the matter. Never changed.';
      CREATE INDEX payout_decisions_payout ON payout_decisions (payout_id, position);

      CREATE TABLE payout_accounts (
        merchant_id text COLLATE "C" PRIMARY KEY,
        sealed      bytea NOT NULL,
        masked      text NOT NULL,
        version     bigint NOT NULL DEFAULT 1,
        updated_by  text NOT NULL,
        updated_at  timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON COLUMN payout_accounts.sealed IS 'IBAN and name, AES-256-GCM under BANK_ACCOUNT_KEY, bound to the merchant.';

      CREATE TABLE bank_feeds (
        bank     text PRIMARY KEY,
        position bigint NOT NULL DEFAULT 0
      );
      COMMENT ON TABLE bank_feeds IS 'How far the bank''s changes were read.';

      CREATE TABLE reserve_rules (
        merchant_id  text COLLATE "C" PRIMARY KEY,
        basis_points integer NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
        days         integer NOT NULL CHECK (days BETWEEN 0 AND 730),
        version      bigint NOT NULL DEFAULT 1,
        updated_by   text NOT NULL,
        updated_at   timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE reserves (
        id             text COLLATE "C" PRIMARY KEY REFERENCES balance_transactions,
        settlement_id  text COLLATE "C" NOT NULL REFERENCES settlements,
        merchant_id    text COLLATE "C" NOT NULL,
        currency       text COLLATE "C" NOT NULL,
        amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
        release_on     timestamptz NOT NULL,
        posted_at      timestamptz,
        release_id     text COLLATE "C" UNIQUE REFERENCES balance_transactions,
        release_posted_at timestamptz
      );
      COMMENT ON TABLE reserves IS 'What a batch kept back, under the id of its balance transaction; and what let it go. Posted: the ledger has it too.';
      CREATE INDEX reserves_unposted ON reserves (id) WHERE posted_at IS NULL;
      CREATE INDEX reserves_held ON reserves (release_on) WHERE release_id IS NULL;
      CREATE INDEX reserves_release_unposted ON reserves (id) WHERE release_id IS NOT NULL AND release_posted_at IS NULL;

      REVOKE DELETE, TRUNCATE ON balance_transactions, merchant_balances, settlement_runs, settlements, payouts, payout_accounts,
        bank_feeds, reserve_rules, reserves FROM ${databaseNamesOf('settlement').runtime};
      REVOKE UPDATE, DELETE, TRUNCATE ON payout_decisions FROM ${databaseNamesOf('settlement').runtime};
      ${IDEMPOTENCY_DDL}
      ${MESSAGING_DDL}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  }
}
