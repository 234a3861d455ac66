import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually, freePort, type TestDatabase } from '@payflow/testing';

import { PASSWORD } from './people.js';
import { identityDatabase, postJson, type RunningAuth, startAuth } from './running-auth.js';

let database: TestDatabase;
/** An instance beside the one that is killed: nobody waits until that is back. */
let auth: RunningAuth;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(async () => {
  await auth.stop();
  await database.drop();
});

/** The service as a process of its own. */
const startProcess = (port: number, crash: string): ChildProcess => {
  const child = fork(new URL('../src/main.ts', import.meta.url), {
    execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
    env: {
      ...auth.environment,
      PATH: process.env['PATH'],
      PORT: String(port),
      AUTH_URL: `http://127.0.0.1:${String(port)}`,
      PAYFLOW_CRASH: crash,
    },
    stdio: 'ignore',
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
};

it('killed after a refresh token was rotated and before the answer, the repetition gets the one successor', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  const killed = once(startProcess(port, 'auth.refresh.after-rotate'), 'exit');
  const account = { username: 'survivor', password: PASSWORD };
  await postJson(`${auth.url}/auth/register`, account);
  const login = await postJson(`${auth.url}/auth/login`, account);
  const refreshToken = login.body['refreshToken'];
  await eventually(
    async () => {
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    },
    { timeoutMs: 60_000, intervalMs: 100 },
  );
  await expect(postJson(`${url}/auth/refresh`, { refreshToken })).rejects.toThrow();
  expect((await killed)[1]).toBe('SIGKILL');

  // The client tries again with the token that it has.
  const refresh = async (token: unknown) => await postJson(`${auth.url}/auth/refresh`, { refreshToken: token });
  const refreshed = await refresh(refreshToken);
  expect(refreshed).toMatchObject({ status: 200, body: { sessionId: login.body['sessionId'] } });
  const next = await refresh(refreshed.body['refreshToken']);
  expect(next).toMatchObject({ status: 200, body: { sessionId: login.body['sessionId'] } });
  // Its successor was used, so the lost answer has evidently arrived: from now on it is stolen.
  expect((await refresh(refreshToken)).status).toBe(401);
  expect((await refresh(next.body['refreshToken'])).status).toBe(401);
}, 120_000);
