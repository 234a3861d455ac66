import type { Sql } from '@payflow/postgres';

export const findFeedPosition = async (sql: Sql, bank: string): Promise<bigint> => {
  const [row] = await sql.query<{ position: bigint }>('SELECT position FROM bank_feeds WHERE bank = $1', [bank]);
  return row?.position ?? 0n;
};

/** Never back: two instances that read at once have both applied what they read. */
export const storeFeedPosition = async (sql: Pick<Sql, 'execute'>, bank: string, position: bigint): Promise<void> => {
  await sql.execute(
    `INSERT INTO bank_feeds AS f (bank, position) VALUES ($1, $2)
     ON CONFLICT (bank) DO UPDATE SET position = GREATEST(f.position, excluded.position)`,
    [bank, position],
  );
};
