import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** Whether nothing listens there and we may. */
export const isPortFree = async (port: number, host = LOOPBACK): Promise<boolean> =>
  await new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host, exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });

/**
 * Below the ports that systems give to outgoing connections (32768 and up on Linux, 49152 and up elsewhere): one of those
 * is often taken between the moment it is found free and the moment a service that has to start first listens on it.
 */
const FREE_PORT_MIN = 20_000;
const FREE_PORT_MAX = 32_000;
const TRIES_MAX = 200;
/** Handed out by this process, and perhaps not listened on yet. */
const given = new Set<number>();

/** The first of the wanted ports that is free, else any free port. */
export const freePort = async (...wanted: readonly (number | undefined)[]): Promise<number> => {
  for (const port of wanted) if (port !== undefined && (await isPortFree(port))) return port;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const port = randomInt(FREE_PORT_MIN, FREE_PORT_MAX);
    if (given.has(port) || !(await isPortFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port between ${FREE_PORT_MIN} and ${FREE_PORT_MAX} is free`);
};

/** Who listens on a port, as "node (process 123)", where the system tells us. */
export const portHolder = (port: number): string | undefined =>
  process.platform === 'linux' ? linuxPortHolder(port) : lsofPortHolder(port);

const LISTEN = '0A';

const linuxPortHolder = (port: number): string | undefined => {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
      linesOf(table)
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[1]?.endsWith(`:${wanted}`) === true && fields[3] === LISTEN)
        .map((fields) => `socket:[${fields[9] ?? ''}]`),
    ),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (descriptorsOf(pid).some((target) => inodes.has(target))) {
      return `${linesOf(`/proc/${pid}/comm`)[0] ?? 'a program'} (process ${pid})`;
    }
  }
  return undefined;
};

const linesOf = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
};

const descriptorsOf = (pid: string): string[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((descriptor) => linkOf(`/proc/${pid}/fd/${descriptor}`));
  } catch {
    return [];
  }
};

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

const lsofPortHolder = (port: number): string | undefined => {
  try {
    const output = execFileSync('lsof', ['-nP', `-iTCP:${String(port)}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' });
    const pid = /^p(\d+)$/m.exec(output)?.[1];
    const command = /^c(.+)$/m.exec(output)?.[1];
    return pid === undefined ? undefined : `${command ?? 'a program'} (process ${pid})`;
  } catch {
    return undefined;
  }
};
