import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { eventually, type TestDatabase } from '@payflow/testing';

import { PASSWORD } from './people.js';
import { type Answered, identityDatabase, postJson, type RunningAuth, startAuth } from './running-auth.js';

let database: TestDatabase;
let settings: RunningAuth['environment'];
let demo: RunningAuth['demo'];
const running = new Set<ChildProcess>();

beforeAll(async () => {
  database = await identityDatabase();
  // Its settings, and its port, for the process that is going to be killed.
  const configured = await startAuth(database);
  ({ environment: settings, demo } = configured);
  await configured.stop();
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(async () => {
  await database.drop();
});

/** The service as a process of its own. */
const startProcess = (crash: string): ChildProcess => {
  const child = fork(new URL('../src/main.ts', import.meta.url), {
    execArgv: ['--conditions', 'payflow-source', '--import', '@payflow/testing/typescript-hooks'],
    env: {
      ...settings,
      PATH: process.env['PATH'],
      PORT: new URL(settings['AUTH_URL'] ?? '').port,
      DEMO_DATA: JSON.stringify(demo),
      PAYFLOW_CRASH: crash,
    },
    stdio: 'ignore',
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
};

/** Asks until it is answered. */
const post = async (path: string, body: unknown, status: number): Promise<Answered> =>
  await eventually(
    async () => {
      const answer = await postJson(`${settings['AUTH_URL'] ?? ''}${path}`, body);
      expect(answer.status).toBe(status);
      return answer;
    },
    { timeoutMs: 60_000, intervalMs: 100 },
  );

it('killed after a refresh token was rotated and before the answer, it answers the repetition, with one successor', async () => {
  const first = startProcess('auth.refresh.after-rotate');
  const killed = once(first, 'exit').then(([, signal]) => {
    startProcess('');
    return signal as NodeJS.Signals;
  });
  const account = { username: 'survivor', password: PASSWORD };
  await post('/auth/register', account, 201);
  const login = await post('/auth/login', account, 200);
  const refreshToken = login.body['refreshToken'];
  // The first try dies without an answer; the client tries again with the token that it has.
  const refreshed = await post('/auth/refresh', { refreshToken }, 200);
  expect(await killed).toBe('SIGKILL');
  expect(refreshed.body['sessionId']).toBe(login.body['sessionId']);
  const next = await post('/auth/refresh', { refreshToken: refreshed.body['refreshToken'] }, 200);
  expect(next.body['sessionId']).toBe(login.body['sessionId']);
  // Its successor was used, so the lost answer has evidently arrived: from now on it is stolen.
  await post('/auth/refresh', { refreshToken }, 401);
  await post('/auth/refresh', { refreshToken: next.body['refreshToken'] }, 401);
}, 120_000);
