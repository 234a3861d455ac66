import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import {
  erasePostgres,
  killPostgres,
  type PostgresServer,
  runningPostgres,
  startPostgres,
  stopPostgres,
} from './postgres.ts';
import { isAlive } from './process.ts';

const query = async (url: string, text: string): Promise<readonly unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

describe('a Postgres of ours', () => {
  // A path with a space: checkouts are put in such places.
  const root = mkdtempSync(join(tmpdir(), 'payflow servers '));
  chmodSync(root, 0o755);
  const directory = join(root, 'postgres');
  const options = { directory, logFile: join(root, 'postgres.log') };
  let first: PostgresServer;

  beforeAll(async () => {
    first = await startPostgres(options);
    await query(first.adminUrl, `CREATE TABLE kept (word text); INSERT INTO kept VALUES ('kept')`);
  });
  afterAll(async () => {
    await erasePostgres(directory);
    rmSync(root, { recursive: true, force: true });
  });

  it('sorts by code point and knows Unicode, on every machine alike', async () => {
    const rows = await query(first.adminUrl, `SELECT upper('ä') AS upper, 'Z' < 'a' AS by_code_point`);
    expect(rows).toEqual([{ upper: 'Ä', by_code_point: true }]);
  });

  it('lets nobody in without the password', async () => {
    const url = new URL(first.adminUrl);
    url.password = 'wrong';
    await expect(query(url.toString(), 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  it('is adopted, not started again, while it runs', async () => {
    expect((await startPostgres(options)).pid).toBe(first.pid);
  });

  it('is adopted from its own pid file when our record of it is older than it is', async () => {
    const record = join(directory, 'server.json');
    const written = readFileSync(record, 'utf8');
    writeFileSync(record, written.replace(`"pid": ${String(first.pid)}`, '"pid": 0'));
    expect((await runningPostgres(directory))?.pid).toBe(first.pid);
    writeFileSync(record, written);
  });

  it('comes back with its data and on its port after kill -9', async () => {
    await killPostgres(directory);
    expect(isAlive(first)).toBe(false);
    const second = await startPostgres({ ...options, port: first.port });
    expect(second.pid).not.toBe(first.pid);
    expect(await query(second.adminUrl, 'SELECT word FROM kept')).toEqual([{ word: 'kept' }]);
  });

  it('starts although its pid file names a process that is another program', async () => {
    await stopPostgres(directory);
    const server = await startPostgres(options);
    const lock = join(server.dataDirectory, 'postmaster.pid');
    const text = readFileSync(lock, 'utf8');
    const { uid, gid } = statSync(server.dataDirectory);
    await stopPostgres(directory);
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(stranger, 'spawn');
    try {
      writeFileSync(lock, text.replace(/^\d+/, String(stranger.pid)), { mode: 0o600 });
      if (process.getuid?.() === 0) chownSync(lock, uid, gid);
      const reports: string[] = [];
      const again = await startPostgres({ ...options, report: (line) => reports.push(line) });
      expect(await query(again.adminUrl, 'SELECT word FROM kept')).toEqual([{ word: 'kept' }]);
      expect(reports.join()).toMatch(/stale postmaster\.pid/);
    } finally {
      stranger.kill();
    }
  });

  it('says which port is taken and by whom', async () => {
    await stopPostgres(directory);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startPostgres({ ...options, port })).rejects.toThrow(
      new RegExp(`Port ${String(port)} for Postgres is taken by .*process ${String(process.pid)}.*POSTGRES_PORT`),
    );
    other.close();
  });
});
