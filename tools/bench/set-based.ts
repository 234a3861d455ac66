import type pg from 'pg';

import { onServer } from './database-baseline.ts';
import type { Bench } from './section.ts';

const DATABASE = 'payflow_bench_set_based';
const MS_PER_SECOND = 1_000;

/** What the same rows take in SQL alone. */
export interface SetBased {
  /** Tables and rows, not measured. */
  readonly prepare: string;
  /** Does the whole of it at once. */
  readonly statement: string;
  readonly rows: number;
}

/** How many rows a second one statement does, in a database beside those of the services. */
export const setBasedRate = async ({ stack }: Bench, { prepare, statement, rows }: SetBased): Promise<number> => {
  const url = new URL(stack.postgres);
  url.pathname = `/${DATABASE}`;
  const drop = async (admin: pg.Client): Promise<void> => {
    await admin.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  };
  await onServer(stack.postgres, async (admin) => {
    await drop(admin);
    await admin.query(`CREATE DATABASE ${DATABASE}`);
  });
  let tookMs = 0;
  await onServer(url.toString(), async (database) => {
    await database.query(prepare);
    await database.query('VACUUM ANALYZE');
    const begun = performance.now();
    await database.query(statement);
    tookMs = performance.now() - begun;
  });
  await onServer(stack.postgres, drop);
  return (rows * MS_PER_SECOND) / tookMs;
};
