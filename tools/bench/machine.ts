import { availableParallelism, cpus, totalmem } from 'node:os';

import pg from 'pg';

/** What the figures were measured on, in one line. */
export const machineOf = async (adminUrl: string): Promise<string> => {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const { rows } = await client.query<{ version: string; fsync: string; commit: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
            current_setting('synchronous_commit') AS commit`,
  );
  await client.end();
  const [postgres] = rows;
  return [
    `${String(availableParallelism())} × ${cpus()[0]?.model ?? 'unknown processor'}`,
    `${(totalmem() / 1024 ** 3).toFixed(0)} GB`,
    `Node ${process.versions.node}`,
    `Postgres ${postgres?.version ?? '?'} (fsync ${postgres?.fsync ?? '?'}, synchronous_commit ${postgres?.commit ?? '?'})`,
  ].join(', ');
};
