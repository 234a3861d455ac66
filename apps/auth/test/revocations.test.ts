import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Revocations } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { eventually, type TestDatabase } from '@payflow/testing';
import pg from 'pg';

import { lift, revoke } from '../src/store/revocations.js';
import {
  type Answered,
  get,
  identityDatabase,
  logIn,
  postForm,
  type RunningAuth,
  SERVICE_SECRET,
  startAuth,
  tokenOf,
} from './running-auth.js';

let testDatabase: TestDatabase;
let auth: RunningAuth;
let token: string;
let database: Database;

beforeAll(async () => {
  testDatabase = await identityDatabase();
  auth = await startAuth(testDatabase);
  database = auth.app.get(Database);
  token = tokenOf(
    await postForm(`${auth.url}/oauth/token`, {
      grant_type: 'client_credentials',
      client_id: 'svc_payment',
      client_secret: SERVICE_SECRET,
    }),
  );
});
afterAll(async () => {
  await auth.stop();
  await testDatabase.drop();
});

const inAnHour = (): Date => new Date(Date.now() + 3_600_000);
const journal = async (after: number, waitMs = 0, at = auth): Promise<Answered & { body: Revocations }> =>
  (await get(`${at.url}/internal/revocations?after=${after}&waitMs=${waitMs}`, token)) as never;
const end = async (): Promise<number> => {
  let position = 0;
  for (;;) {
    const { body } = await journal(position);
    if (body.data.length === 0) return position;
    position = body.position;
  }
};
const revokeNow = async (subject: string): Promise<void> => {
  await database.transaction(async (tx) => {
    await revoke(tx, subject, inAnHour());
  });
};

describe('the journal of revocations', () => {
  it('is for services only', async () => {
    expect((await get(`${auth.url}/internal/revocations`)).status).toBe(401);
    expect((await get(`${auth.url}/internal/revocations`, await logIn(auth, 'admin'))).status).toBe(403);
    for (const query of ['after=-1', 'after=x', 'waitMs=20001', 'more=1'])
      expect((await get(`${auth.url}/internal/revocations?${query}`, token)).status).toBe(400);
  });

  it('answers at once with what is new', async () => {
    const before = await end();
    await revokeNow('ses_a');
    const { body } = await journal(before, 20_000);
    expect(body.data).toEqual([{ subject: 'ses_a', revoked: true, until: expect.any(String) }]);
    expect(await journal(body.position)).toMatchObject({ body: { position: body.position, data: [] } });
  });

  it('tells who waits as soon as it is committed, at every instance, and not before', async () => {
    const other = await startAuth(testDatabase, auth.environment, auth.demo);
    const before = await end();
    const waiting = [journal(before, 20_000), journal(before, 20_000, other)];
    await database
      .transaction(async (tx) => {
        await revoke(tx, 'ses_never', inAnHour());
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    await revokeNow('ses_b');
    for (const { body } of await Promise.all(waiting)) expect(body.data).toMatchObject([{ subject: 'ses_b' }]);
    await other.stop();
  });

  it('hides no entry from a reader who asks while many are written at once, some of them slowly', async () => {
    const start = await end();
    const subjects = Array.from({ length: 60 }, (_, index) => `ses_many_${index}`);
    const read: string[] = [];
    const reading = (async () => {
      for (let position = start; read.length < subjects.length;) {
        const { body } = await journal(position, 5_000);
        read.push(...body.data.map(({ subject }) => subject));
        position = body.position;
      }
    })();
    await Promise.all(
      subjects.map(async (subject, index) => {
        await database.transaction(async (tx) => {
          await revoke(tx, subject, inAnHour());
          if (index % 7 === 0) await tx.query('SELECT pg_sleep(0.01)');
        });
      }),
    );
    await reading;
    expect(new Set(read)).toEqual(new Set(subjects));
    expect(read).toHaveLength(subjects.length);
  });

  it('keeps what was lifted after what was revoked', async () => {
    const before = await end();
    await revokeNow('usr_lifted');
    await database.transaction(async (tx) => {
      await lift(tx, 'usr_lifted');
      await lift(tx, 'usr_that_was_never_revoked');
    });
    const { body } = await journal(before);
    expect(body.data.map(({ subject, revoked }) => [subject, revoked])).toEqual([
      ['usr_lifted', true],
      ['usr_lifted', false],
    ]);
    expect(body.data[1]?.until).toBe(body.data[0]?.until);
  });

  it('sends a reader who is further than itself back to the start', async () => {
    expect((await journal(1_000_000, 20_000)).body).toEqual({ position: 0, data: [] });
  });

  it('ends a token at auth itself with the answer to whoever revoked it', async () => {
    const customer = await logIn(auth, 'customer');
    expect((await get(`${auth.url}/me`, customer)).status).toBe(200);
    await revokeNow(auth.demo.customer.userId);
    expect(await get(`${auth.url}/me`, customer)).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
    await database.transaction(async (tx) => {
      await lift(tx, auth.demo.customer.userId);
    });
    expect((await get(`${auth.url}/me`, customer)).status).toBe(200);
  });

  it('holds at an instance that starts later, and at one beside it', async () => {
    const customer = await logIn(auth, 'customer');
    await revokeNow(auth.demo.customer.userId);
    const later = await startAuth(testDatabase, auth.environment, auth.demo);
    expect((await get(`${later.url}/me`, customer)).status).toBe(401);
    // By another process, which tells nobody here.
    const owner = new pg.Client(testDatabase.ownerUrl);
    await owner.connect();
    await owner.query(
      `INSERT INTO revocations (subject, revoked, until) VALUES ($1, false, now() + interval '1 hour')`,
      [auth.demo.customer.userId],
    );
    await owner.end();
    await eventually(async () => {
      for (const at of [auth, later]) expect((await get(`${at.url}/me`, customer)).status).toBe(200);
    });
    await later.stop();
  });
});
