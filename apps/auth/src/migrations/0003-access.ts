import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The journal of revocations, members of merchants, API keys, and secrets that overlap. */
export class Access1763700002000 implements MigrationInterface {
  readonly name = 'Access1763700002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(REVOCATIONS_DDL);
  }

  async down(): Promise<void> {
    await Promise.reject(new Error('not undone: drop the database'));
  }
}

const REVOCATIONS_DDL = `
-- Whose tokens are refused before their time, in the order of commits (store/revocations.ts). A row goes when the last
-- token that it concerns has expired; until null: never.
CREATE TABLE revocations (
  position   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject    text NOT NULL,
  revoked    boolean NOT NULL,
  until      timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revocations_subject ON revocations (subject);
CREATE INDEX revocations_until ON revocations (until);
`;
