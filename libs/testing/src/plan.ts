import type { Database, Sql } from '@payflow/postgres';

/**
 * How Postgres would run what `read` asks for: the plans of its statements, planned for the parameters they come with. An
 * empty table is always scanned, so scans are made dear: a plan that has one nevertheless has no index for the question.
 */
export const planOf = async (database: Database, read: (sql: Sql) => Promise<unknown>): Promise<string> =>
  await database.transaction(async (tx) => {
    await tx.execute('SET LOCAL enable_seqscan = off');
    const plans: string[] = [];
    const explaining: Sql = {
      query: async (text, parameters) => {
        const lines = await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, parameters);
        plans.push(...lines.map((line) => line['QUERY PLAN']));
        return [];
      },
      execute: async () => Promise.reject(new Error('only what reads is explained here')),
    };
    await read(explaining);
    return plans.join('\n');
  });
