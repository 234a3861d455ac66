import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { Failure } from '../servers/failure.ts';
import { freePort } from '../servers/ports.ts';
import { endProcess, isAlive, type ProcessRecord, spawnDetached, tailOf } from '../servers/process.ts';
import { run } from '../servers/run.ts';
import { REPOSITORY } from '../stack/paths.ts';

const VERSION = 'v2.12.0';
const PACKAGE = `github.com/Shopify/toxiproxy/v2/cmd/server@${VERSION}`;
const PROGRAM = join(REPOSITORY, '.payflow', 'toxiproxy', VERSION, 'server');
const START_TIMEOUT_MS = 10_000;
const CALL_TIMEOUT_MS = 5_000;
const STOP_GRACE_MS = 5_000;

export type Stream = 'upstream' | 'downstream';

/** What is wrong with a connection. `upstream` is what the client sends, `downstream` what the server answers. */
export interface Toxic {
  readonly type: 'latency' | 'bandwidth' | 'timeout' | 'reset_peer' | 'slicer';
  readonly stream: Stream;
  readonly attributes: Readonly<Record<string, number>>;
}

/** Toxiproxy, from its Go module: TCP proxies whose connections can be made slow, silent or broken. */
export class Toxiproxy {
  private readonly process: ProcessRecord;
  private readonly api: string;

  private constructor(process: ProcessRecord, api: string) {
    this.process = process;
    this.api = api;
  }

  /** @returns the reason when there can be none here */
  static async start(logFile: string, report: (line: string) => void): Promise<Toxiproxy | string> {
    const missing = await install(report);
    if (missing !== undefined) return missing;
    const port = await freePort();
    const process_ = await spawnDetached({
      command: PROGRAM,
      args: ['-host', '127.0.0.1', '-port', String(port)],
      directory: REPOSITORY,
      env: { ...process.env, LOG_LEVEL: 'warn' },
      logFile,
    });
    const proxy = new Toxiproxy(process_, `http://127.0.0.1:${port}`);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await proxy.answers())) {
      if (!isAlive(process_) || performance.now() > deadline) {
        await proxy.stop();
        throw new Failure(`Toxiproxy did not start. Its log (${logFile}) ends:\n${tailOf(logFile)}`);
      }
      await wait(50);
    }
    return proxy;
  }

  /** @returns the port on which it listens for clients */
  async createProxy(name: string, upstreamPort: number, listenPort = 0): Promise<number> {
    const made = await this.call('POST', '/proxies', {
      name,
      listen: `127.0.0.1:${listenPort}`,
      upstream: `127.0.0.1:${upstreamPort}`,
      enabled: true,
    });
    return Number((made as { listen: string }).listen.split(':').at(-1));
  }

  /** Every connection is cut, and new ones are refused, until it is enabled again. */
  async setEnabled(name: string, enabled: boolean): Promise<void> {
    await this.call('POST', `/proxies/${name}`, { enabled });
  }

  async addToxic(name: string, toxic: Toxic): Promise<void> {
    await this.call('POST', `/proxies/${name}/toxics`, { ...toxic, name: toxicName(toxic), toxicity: 1 });
  }

  async removeToxic(name: string, toxic: Toxic): Promise<void> {
    await this.call('DELETE', `/proxies/${name}/toxics/${toxicName(toxic)}`);
  }

  async stop(): Promise<void> {
    await endProcess(this.process, 'SIGTERM', STOP_GRACE_MS);
  }

  private async answers(): Promise<boolean> {
    try {
      await this.call('GET', '/proxies');
      return true;
    } catch {
      return false;
    }
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.api + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`toxiproxy ${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}

const toxicName = ({ type, stream }: Toxic): string => `${type}_${stream}`;

/** @returns why it could not be installed */
const install = async (report: (line: string) => void): Promise<string | undefined> => {
  if (existsSync(PROGRAM)) return undefined;
  const directory = join(PROGRAM, '..');
  mkdirSync(directory, { recursive: true });
  report('Installing Toxiproxy (go install, about a minute, once)');
  for (const go of ['go', '/usr/local/go/bin/go']) {
    const { status, output, startError } = await run(go, ['install', PACKAGE], {
      directory,
      env: { ...process.env, GOBIN: directory },
    });
    if (startError?.code === 'ENOENT') continue;
    return status === 0 ? undefined : `Toxiproxy could not be installed: ${output.trim().split('\n').at(-1) ?? ''}`;
  }
  return 'Go is not installed, and Toxiproxy is built with it (https://go.dev/dl)';
};
