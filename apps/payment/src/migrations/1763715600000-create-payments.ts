import { MESSAGING_DDL } from '@payflow/messaging';
import { IDEMPOTENCY_DDL } from '@payflow/service';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import { DISPUTES_SCHEMA } from './disputes-schema.js';
import { PAYMENTS_SCHEMA } from './payments-schema.js';
import { PSP_WEBHOOKS_SCHEMA } from './psp-webhooks-schema.js';

export class CreatePayments1763715600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PAYMENTS_SCHEMA);
    await runner.query(PSP_WEBHOOKS_SCHEMA);
    await runner.query(DISPUTES_SCHEMA);
    await runner.query(MESSAGING_DDL);
    await runner.query(IDEMPOTENCY_DDL);
  }

  /** Refused: a history that a command could drop would not be append-only. */
  down(): Promise<void> {
    return Promise.reject(new Error('the history of payments is never taken down'));
  }
}
