import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestDatabase } from '@payflow/testing';
import { decodeJwt } from 'jose';
import pg from 'pg';

import { get, identityDatabase, postForm, postJson, type RunningAuth, startAuth, tokenOf } from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;
let client: pg.Client;

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await auth.stop();
  await database.drop();
});

const register = async (body: unknown, headers: Record<string, string> = {}) =>
  await postJson(`${auth.url}/auth/register`, body, headers);

describe('POST /auth/register with a user name', () => {
  it('opens an account by form, as the document prints it, and the login after it works', async () => {
    const form = { username: 'alice', password: 'secret123' };
    const registered = await postForm(`${auth.url}/auth/register`, form);
    expect(registered).toMatchObject({
      status: 201,
      body: {
        userId: expect.stringMatching(/^usr_/),
        username: 'alice',
        message: 'User alice registered successfully',
        verification: { required: false, channel: null },
      },
    });
    const login = await postForm(`${auth.url}/auth/login`, form);
    expect(login).toMatchObject({
      status: 200,
      body: { userId: registered.body['userId'], verified: true, refreshToken: expect.stringMatching(/^pfr_/) },
    });
    expect(decodeJwt(tokenOf(login))).toMatchObject({
      sub: registered.body['userId'],
      username: 'alice',
      sid: login.body['sessionId'],
      roles: ['customer'],
    });
    expect(await get(`${auth.url}/me`, tokenOf(login))).toMatchObject({
      status: 200,
      body: { userId: registered.body['userId'], username: 'alice', status: 'ACTIVE', emailVerified: false },
    });
  });
});
