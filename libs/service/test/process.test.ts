import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { createTestDatabase, eventually, merchantPrincipal, type TestDatabase, TokenMint } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { freePort } from '../../../tools/servers/ports.ts';
import { CreateNotes1760000000000 } from './notes-service.js';

// Each test starts processes, which takes its time when the machine is busy.
jest.setTimeout(60_000);

let mint: TokenMint;
let testDatabase: TestDatabase;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  mint = await TokenMint.open();
  testDatabase = await createTestDatabase({ service: 'service-tests', migrations: [CreateNotes1760000000000] });
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(async () => {
  await mint.close();
  await testDatabase.drop();
});

interface Service {
  readonly url: string;
  readonly child: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly log: () => string;
}

const start = async (environment: Readonly<Record<string, string>> = {}): Promise<Service> => {
  const port = await freePort();
  const child = fork(new URL('notes-main.ts', import.meta.url), {
    execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      SERVICE_CLIENT_SECRET: 'secret-of-the-service',
      AUTH_URL: mint.url,
      DATABASE_URL: testDatabase.runtimeUrl,
      SHUTDOWN_UNREADY_MS: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  const output: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk));
  const exited = once(child, 'exit').then(([code, signal]) => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const log = (): string => Buffer.concat(output).toString();
  await Promise.race([messageOf(child, 'listening'), exited]);
  return { url: `http://127.0.0.1:${port}`, child, exited, log };
};

const messageOf = async (child: ChildProcess, expected: string): Promise<void> => {
  for (;;) {
    const [message] = (await once(child, 'message')) as [unknown];
    if (message === expected) return;
  }
};

const postNote = async (service: Service, key: string): Promise<Response> =>
  await fetch(`${service.url}/notes`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: await mint.authorization(merchantPrincipal('mer_1')),
      'idempotency-key': key,
    },
    body: '{"text":"milk"}',
  });

describe('SIGTERM', () => {
  it('is not ready at once, lets requests in flight finish with the pools open, and exits 0', async () => {
    const service = await start({ SHUTDOWN_UNREADY_MS: '600' });
    const entered = messageOf(service.child, 'entered');
    const slow = fetch(`${service.url}/slow`);
    await entered;
    service.child.kill('SIGTERM');
    await eventually(async () => {
      const ready = await fetch(`${service.url}/health/ready`);
      expect(ready.status).toBe(503);
      expect(ready.headers.get('connection')).toBe('close');
    });
    await eventually(async () => {
      await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
    });
    service.child.send('open');
    const answer = await slow;
    expect([answer.status, await answer.json()]).toEqual([200, [{ answer: 1 }]]);
    expect(await service.exited).toEqual({ code: 0, signal: null });
    expect(service.log()).toContain('"msg":"stopped"');
  });

  it('a second time ends the process at once with 1', async () => {
    const service = await start();
    const entered = messageOf(service.child, 'entered');
    const slow = fetch(`${service.url}/slow`).catch(() => 'cut');
    await entered;
    service.child.kill('SIGTERM');
    await eventually(() => {
      expect(service.log()).toContain('"msg":"stopping"');
    });
    service.child.kill('SIGTERM');
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(await slow).toBe('cut');
  });

  it('ends the process with 1 when the stop takes longer than it may', async () => {
    const service = await start({ SHUTDOWN_GRACE_MS: '300' });
    const entered = messageOf(service.child, 'entered');
    const slow = fetch(`${service.url}/slow`).catch(() => 'cut');
    await entered;
    service.child.kill('SIGTERM');
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(await slow).toBe('cut');
  });
});

describe('a process', () => {
  it('ends with 1 when a promise is rejected that nobody handles', async () => {
    const service = await start();
    service.child.send('reject');
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.log()).toContain('nobody handles this');
  });

  it('does not start with settings it cannot use, and names them', async () => {
    const service = await start({ DATABASE_URL: 'not-a-url', DATABASE_POOL_MAX: 'many' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.log()).toMatch(/DATABASE_URL[^]*DATABASE_POOL_MAX/);
    expect(service.log()).not.toContain('not-a-url');
  });

  it('does not start without its database, and says so in its log', async () => {
    const service = await start({ DATABASE_URL: 'postgres://payflow:hunter2@127.0.0.1:9/none' });
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.log()).toContain('the database cannot be reached');
    expect(service.log()).not.toContain('hunter2');
  });
});

describe('a crash point', () => {
  it.each([
    ['idempotency.after-claim', 0],
    ['notes.after-insert', 0],
    ['idempotency.before-commit', 0],
    ['idempotency.before-answer', 1],
  ])('%s kills the process at the pass that was named, and the key has one effect', async (point, committed) => {
    const crashing = await start({ PAYFLOW_CRASH: `${point}@2` });
    expect((await postNote(crashing, `${point}-first`)).status).toBe(201);
    await expect(postNote(crashing, point)).rejects.toThrow();
    expect(await crashing.exited).toEqual({ code: null, signal: 'SIGKILL' });

    const successor = await start();
    const answer = await postNote(successor, point);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('idempotent-replayed')).toBe(committed === 1 ? 'true' : null);
    expect((await postNote(successor, point)).headers.get('idempotent-replayed')).toBe('true');
    successor.child.kill('SIGTERM');
    expect((await successor.exited).code).toBe(0);
  });
});
