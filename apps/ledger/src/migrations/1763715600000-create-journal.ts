import { MESSAGING_DDL } from '@payflow/messaging';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import { APPROVALS_SCHEMA } from './approvals-schema.js';
import { JOURNAL_SCHEMA } from './journal-schema.js';
import { TREE_SCHEMA } from './tree-schema.js';

export class CreateJournal1763715600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(JOURNAL_SCHEMA);
    await runner.query(TREE_SCHEMA);
    await runner.query(APPROVALS_SCHEMA);
    await runner.query(MESSAGING_DDL);
    await runner.query(IDEMPOTENCY_DDL);
  }

  /** Refused: a journal that could be dropped by a command would not be append-only. */
  down(): Promise<void> {
    return Promise.reject(new Error('the journal is never taken down'));
  }
}
