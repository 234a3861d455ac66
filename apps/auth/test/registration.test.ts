import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { unseal } from '@payflow/service';
import { eventually, type TestDatabase } from '@payflow/testing';
import { decodeJwt } from 'jose';
import pg from 'pg';

import { countBy, PASSWORD, People, wrongCode } from './people.js';
import { get, identityDatabase, postForm, postJson, type RunningAuth, startAuth, tokenOf } from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;
let client: pg.Client;
const people = new People(() => auth);

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});

beforeEach(async () => {
  // Everybody here has one address, and fails on purpose.
  await client.query(`DELETE FROM login_throttle WHERE subject LIKE 'address:%'`);
});

afterAll(async () => {
  await client.end();
  await auth.stop();
  await database.drop();
});

const register = async (body: unknown, key?: string) =>
  await people.post('/auth/register', body, key === undefined ? {} : { key });
const rowsOf = async (text: string, values: readonly unknown[] = []) =>
  (await client.query<Record<string, unknown>>(text, [...values])).rows;

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
      body: { userId: registered.body['userId'], username: 'alice', status: 'ACTIVE', twoFactor: false },
    });
  });

  it('takes multipart forms too', async () => {
    const form = new FormData();
    form.set('username', 'multipart');
    form.set('password', PASSWORD);
    const response = await fetch(`${auth.url}/auth/register`, { method: 'POST', body: form });
    expect(response.status).toBe(201);
  });

  it.each(['bob', 'BOB', ' Bob ', 'ＢＯＢ'])('says that %j is taken when there is a bob', async (username) => {
    await register({ username: 'bob', password: PASSWORD });
    const answer = await register({ username, password: PASSWORD });
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'username_taken', detail: 'The username bob exists already.' },
    });
    expect(await rowsOf(`SELECT 1 FROM users WHERE username ILIKE 'bob'`)).toHaveLength(1);
  });

  it.each([
    ['Cyrillic letters that look Latin', 'аlice'],
    ['a Greek letter', 'αlice'],
    ['an emoji', 'ali😀ce'],
    ['spaces within', 'ali ce'],
    ['two separators', 'ali..ce'],
    ['a separator at the end', 'alice_'],
    ['a zero-width character', 'ali\u200bce'],
    ['less than three characters', 'al'],
    ['more than 32', 'a'.repeat(33)],
    ['markup', '<script>'],
    ['SQL', "x' OR 1=1 --"],
  ])('refuses a user name with %s', async (_, username) => {
    expect(await register({ username, password: PASSWORD })).toMatchObject({
      status: 400,
      body: { code: 'validation_failed', errors: [{ pointer: '/username' }] },
    });
  });

  it('gives one of fifty who want the same name at once the account, and the others the refusal', async () => {
    // Passwords wait for each other; who finds the queue full comes again.
    const wanted = async (): Promise<number> => {
      for (;;) {
        const { status } = await register({ username: 'wanted', password: PASSWORD });
        if (status !== 503) return status;
      }
    };
    const statuses = await Promise.all(Array.from({ length: 50 }, wanted));
    expect(countBy(statuses)).toEqual({ 201: 1, 409: 49 });
    expect(await rowsOf(`SELECT 1 FROM users WHERE username = 'wanted'`)).toHaveLength(1);
  });

  it('publishes the registration once', async () => {
    const { body } = await register({ username: 'published', password: PASSWORD });
    const rows = await rowsOf('SELECT topic, envelope FROM outbox WHERE key = $1', [body['userId']]);
    expect(rows).toHaveLength(1);
    expect(JSON.parse(String(rows[0]?.['envelope']))).toMatchObject({
      type: 'user.registered.v1',
      sequence: 1,
      payload: { userId: body['userId'], roles: ['customer'], username: 'published', email: null, phone: null },
    });
    await eventually(
      async () => {
        expect(await rowsOf('SELECT 1 FROM outbox WHERE key = $1 AND published_at IS NULL', [body['userId']])).toEqual(
          [],
        );
        // The first event waits until every topic has been created.
      },
      { timeoutMs: 50_000 },
    );
  });
});

describe('a registration', () => {
  it.each([
    ['nothing', {}],
    ['no password', { username: 'nobody1' }],
    ['no name', { password: PASSWORD }],
    ['two names', { username: 'nobody1', email: 'nobody1@example.com', password: PASSWORD }],
    ['a short password', { username: 'nobody1', password: 'seven77' }],
    ['a password of 1,001 characters', { username: 'nobody1', password: 'ab'.repeat(500) + 'c' }],
    ['one of the commonest passwords', { username: 'nobody1', password: 'Password123' }],
    ['one character eight times', { username: 'nobody1', password: 'zzzzzzzz' }],
    ['its own name as the password', { username: 'nobody1x', password: 'Nobody1X' }],
    ['a number for a password', { username: 'nobody1', password: 12345678 }],
    ['an object for a name', { username: { $gt: '' }, password: PASSWORD }],
    ['an unknown field', { username: 'nobody1', password: PASSWORD, roles: ['admin'] }],
    ['a control character', { username: 'nobody1\u0007', password: PASSWORD }],
    ['no mail address', { email: 'nobody', password: PASSWORD }],
    ['a header in the mail address', { email: 'a@b.example\r\nBcc: c@d.example', password: PASSWORD }],
    ['a huge mail address', { email: `${'a'.repeat(300)}@example.com`, password: PASSWORD }],
    ['a phone without its country', { phone: '07911 123456', password: PASSWORD }],
    ['a phone that is none', { phone: '+15550100', password: PASSWORD }],
    ['letters for a phone', { phone: 'call me', password: PASSWORD }],
  ])('with %s is refused', async (_, body) => {
    const answer = await register(body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.text).not.toContain('secret');
  });

  it.each(['/auth/register?username=x&password=secret123', '/auth/login?username=x&password=secret123'])(
    'at %s is refused: passwords do not belong in URLs',
    async (path) => {
      for (const body of [{}, { username: 'inurl', password: 'secret123' }])
        expect(await people.post(path, body)).toMatchObject({
          status: 400,
          body: { code: 'validation_failed', errors: [{ code: 'not_in_url' }, { code: 'not_in_url' }] },
        });
    },
  );

  it('takes a password of 1,000 characters of any kind, and only that one logs in', async () => {
    const password = 'é🙂'.repeat(500);
    expect((await register({ username: 'longpassword', password })).status).toBe(201);
    const login = { username: 'longpassword', password };
    expect((await people.post('/auth/login', login)).status).toBe(200);
    expect((await people.post('/auth/login', { ...login, password: password.slice(0, -2) })).status).toBe(401);
  });

  it('has the same password however a keyboard composes it', async () => {
    await register({ username: 'composed', password: 'caf\u00e9 cr\u00e8me' });
    const login = { username: 'composed', password: 'cafe\u0301 cre\u0300me' };
    expect((await people.post('/auth/login', login)).status).toBe(200);
  });

  it('under an Idempotency-Key is made once, and its password is not in the stored row in any guessable form', async () => {
    const body = { username: 'keyed', password: PASSWORD };
    const [first, second] = [await register(body, 'register-1'), await register(body, 'register-1')];
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await register({ ...body, password: 'another one!' }, 'register-1')).toMatchObject({ status: 422 });
    const [row] = await rowsOf(`SELECT request_hash, body FROM idempotency_keys WHERE key = 'register-1'`);
    const { createHash } = await import('node:crypto');
    const plain = createHash('sha256')
      .update(
        `{"body":${JSON.stringify({ password: PASSWORD, username: 'keyed' })},"path":"/auth/register","query":{}}`,
      )
      .digest();
    expect(Buffer.from(row?.['request_hash'] as Uint8Array).equals(plain)).toBe(false);
    expect(row?.['body']).not.toContain(PASSWORD);
  });
});

describe('an email address', () => {
  it('is proven by the code that went there, once', async () => {
    const email = 'Carol@Example.com';
    const registered = await register({ email, password: PASSWORD, name: 'Carol' });
    expect(registered).toMatchObject({
      status: 201,
      body: { email: 'carol@example.com', verification: { required: true, channel: 'email' } },
    });
    const { userId, token } = await people.logIn({ email });
    expect((await people.get('/me', token)).body).toMatchObject({ name: 'Carol', emailVerified: false });
    const [mail] = await people.mails('carol@example.com');
    expect(mail).toMatchObject({ channel: 'email', purpose: 'verification', subject: expect.any(String) });
    const code = String(mail?.code);
    expect(mail?.text).toContain(code);
    expect(await people.post('/auth/verify', { email, code: wrongCode(code) })).toMatchObject({
      status: 422,
      body: { code: 'code_invalid' },
    });
    expect(await people.post('/auth/verify', { email, code })).toMatchObject({
      status: 200,
      body: { userId, channel: 'email', address: 'carol@example.com', verified: true },
    });
    expect((await people.post('/auth/verify', { email, code })).status).toBe(422);
    expect((await people.get('/me', token)).body).toMatchObject({ emailVerified: true });
  });

  it('tells of itself in events: the code sealed, the sequence without a gap', async () => {
    const email = 'events@example.com';
    const { userId } = (await register({ email, password: PASSWORD })).body;
    await people.post('/auth/verify', { email, code: await people.code(email) });
    const rows = await rowsOf('SELECT envelope FROM outbox WHERE key = $1 ORDER BY position', [userId]);
    const envelopes = rows.map((row) => JSON.parse(String(row['envelope'])) as Record<string, unknown>);
    expect(envelopes.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['user.registered.v1', 1],
      ['user.code_issued.v1', 2],
      ['user.verified.v1', 3],
    ]);
    expect(envelopes[2]?.['payload']).toEqual({ userId, channel: 'email', address: email, complete: true });
    const issued = envelopes[1]?.['payload'] as Record<string, string>;
    expect(issued).toMatchObject({ userId, channel: 'email', to: email, purpose: 'verification' });
    const key = Buffer.from(auth.environment['CODE_SEALING_KEY'] ?? '', 'base64');
    const [mail] = await people.mails(email);
    expect(unseal(Buffer.from(issued['codeSealed'] ?? '', 'base64'), key, `user-code:${email}`)).toBe(mail?.code);
    const kept = await rowsOf(`SELECT a::text AS line FROM account_codes a UNION ALL SELECT o::text FROM outbox o`);
    for (const { line } of kept) expect(String(line)).not.toContain(`"${String(mail?.code)}"`);
  });

  it('is proven once by fifty who bring the code at once', async () => {
    const email = 'fifty@example.com';
    await register({ email, password: PASSWORD });
    const code = await people.code(email);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => await people.post('/auth/verify', { email, code })),
    );
    expect(countBy(answers.map(({ status }) => status))).toEqual({ 200: 1, 422: 49 });
  });

  it('cannot be guessed: after five wrong codes the right one is refused too, also when they come at once', async () => {
    const email = 'guessed@example.com';
    await register({ email, password: PASSWORD });
    const code = await people.code(email);
    const guesses = await Promise.all(
      Array.from(
        { length: 50 },
        async (_, index) => await people.post('/auth/verify', { email, code: wrongCode(code, index + 1) }),
      ),
    );
    expect(countBy(guesses.map(({ status }) => status))).toEqual({ 422: 50 });
    expect((await people.post('/auth/verify', { email, code })).status).toBe(422);
    // A new one is good again, and the old one stays dead.
    expect((await people.post('/auth/verify/resend', { email })).status).toBe(202);
    const next = await people.code(email);
    if (next !== code) expect((await people.post('/auth/verify', { email, code })).status).toBe(422);
    expect((await people.post('/auth/verify', { email, code: next })).status).toBe(200);
  });

  it('is not proven by a code that is too old', async () => {
    const email = 'late@example.com';
    await register({ email, password: PASSWORD });
    await client.query(`UPDATE account_codes SET expires_at = now() - interval '1 second' WHERE address = $1`, [email]);
    expect((await people.post('/auth/verify', { email, code: await people.code(email) })).status).toBe(422);
  });

  it.each([
    ['five digits', '12345'],
    ['letters', 'abcdef'],
    ['a number', 123456],
    ['Arabic digits', '١٢٣٤٥٦'],
  ])('is not looked at for a code of %s', async (_, code) => {
    expect((await people.post('/auth/verify', { email: 'x@example.com', code })).status).toBe(400);
  });

  it('gets five codes and then has to wait, whether or not anybody waits for them', async () => {
    for (const email of ['often@example.com', 'nobody-at-all@example.com']) {
      if (email.startsWith('often')) await register({ email, password: PASSWORD });
      const statuses = [];
      for (let count = 0; count < 6; count += 1)
        statuses.push((await people.post('/auth/verify/resend', { email })).status);
      expect(statuses.at(-1)).toBe(429);
      expect(statuses.filter((status) => status === 202).length).toBeGreaterThanOrEqual(4);
    }
    expect(await people.mails('nobody-at-all@example.com')).toEqual([]);
  });
});

describe('an address that is somebody else’s', () => {
  const email = 'owner@example.com';
  let owner: { userId: string; token: string };

  beforeAll(async () => {
    owner = await people.newPerson({ email });
    await people.post('/auth/verify', { email, code: await people.code(email) });
  });

  it('answers a registration as a new one, tells its owner, and never becomes the other’s', async () => {
    const taken = await register({ email, password: 'the password of another' });
    const fresh = await register({ email: 'fresh@example.com', password: PASSWORD });
    const shapeOf = (body: Record<string, unknown>, address: string) =>
      JSON.stringify({ ...body, userId: '' }).replaceAll(address, '');
    expect(taken.status).toBe(201);
    expect(shapeOf(taken.body, email)).toBe(shapeOf(fresh.body, 'fresh@example.com'));
    const [mail] = await people.mails(email);
    expect(mail).toMatchObject({ purpose: 'already_registered', code: null });

    // It is an account like any other that waits for its code: nothing that its owner can do tells him why none comes.
    const login = await people.post('/auth/login', { email, password: 'the password of another' });
    expect(login).toMatchObject({ status: 200, body: { userId: taken.body['userId'], verified: false } });
    expect((await people.post('/auth/verify/resend', { email })).status).toBe(202);
    expect((await people.post('/auth/verify', { email, code: '000000' })).status).toBe(422);
    expect((await people.mails(email)).filter(({ purpose }) => purpose === 'verification')).toHaveLength(1);

    // And the owner is who he was.
    expect(await people.logIn({ email })).toMatchObject({ userId: owner.userId });
  });

  it('cannot be taken by a change of address either', async () => {
    const { token } = await people.newPerson({ username: 'mallory' });
    const changed = await people.send('PATCH', '/me', token, { email });
    expect(changed).toMatchObject({ status: 200, body: { email: null, pendingEmail: email, emailVerified: false } });
    expect((await people.mails(email))[0]).toMatchObject({ purpose: 'already_registered' });
    const shown = await people.get('/me', token);
    expect(shown.body).toMatchObject({ pendingEmail: email });
  });

  it('is claimed by many and proven by one: each code proves it for the account that it was made for', async () => {
    const claimed = 'claimed@example.com';
    const first = await people.newPerson({ email: claimed });
    const firstCode = await people.code(claimed);
    const second = (await register({ email: claimed, password: 'the password of the second' })).body;
    const secondCode = await people.code(claimed);
    // With a token, only one's own code counts.
    if (firstCode !== secondCode)
      expect(
        (await people.post('/auth/verify', { email: claimed, code: secondCode }, { token: first.token })).status,
      ).toBe(422);
    expect(
      (await people.post('/auth/verify', { email: claimed, code: firstCode }, { token: first.token })).body,
    ).toMatchObject({ userId: first.userId });
    expect((await people.post('/auth/verify', { email: claimed, code: secondCode })).status).toBe(422);
    expect(await rowsOf('SELECT id FROM users WHERE email = $1 AND email_verified_at IS NOT NULL', [claimed])).toEqual([
      { id: first.userId },
    ]);
    expect(second['userId']).not.toBe(first.userId);
  });

  it('is proven for nobody but the account that is named, and the message names it', async () => {
    const contested = 'contested@example.com';
    const { userId } = (await register({ email: contested, password: PASSWORD })).body;
    const own = await people.code(contested);
    const adversary = (await register({ email: contested, password: 'the password of the second' })).body;
    const [newer, older] = await people.mails(contested);
    expect(newer?.text).toContain(String(adversary['userId']));
    expect(older?.text).toContain(String(userId));
    const verify = async (code: string, token?: string) =>
      await people.post('/auth/verify', { email: contested, code, userId }, token === undefined ? {} : { token });
    if (newer?.code !== own) expect(await verify(String(newer?.code))).toMatchObject({ status: 422 });
    // A token of somebody else and this account agree on nobody.
    const { token } = await people.logIn({ email: contested, password: 'the password of the second' });
    expect(await verify(own, token)).toMatchObject({ status: 422, body: { code: 'code_invalid' } });
    expect(
      await rowsOf('SELECT id FROM users WHERE email = $1 AND email_verified_at IS NOT NULL', [contested]),
    ).toEqual([]);
    expect(await verify(own)).toMatchObject({ status: 200, body: { userId } });
    expect((await people.post('/auth/verify', { email: contested, code: own, userId: 'nobody' })).status).toBe(400);
  });
});

describe('a phone number', () => {
  it.each(['+44 7911 123456', '+44 (0)7911-123456', '＋４４７９１１１２３４５６'])(
    'is one number however it is written: %s',
    async (phone) => {
      await client.query(`DELETE FROM login_throttle`);
      const answer = await register({ phone, password: PASSWORD });
      expect(answer).toMatchObject({ status: 201, body: { phone: '+447911123456', verification: { channel: 'sms' } } });
    },
  );

  it('is proven by the message that went there', async () => {
    const phone = '+12025550123';
    const { userId, token } = await people.newPerson({ phone });
    const [message] = await people.mails(phone);
    expect(message).toMatchObject({ to: phone, channel: 'sms', subject: null });
    // A plus that a query lost on its way.
    expect((await people.get(`/dev/mailbox?to=${phone}`)).body['data']).toHaveLength(1);
    expect((await people.post('/auth/verify', { phone: '+1 (202) 555-0123', code: message?.code })).body).toMatchObject(
      {
        userId,
        channel: 'phone',
        verified: true,
      },
    );
    expect((await people.get('/me', token)).body).toMatchObject({ phone, phoneVerified: true });
  });
});

describe('PATCH /me', () => {
  it('adds an address, which counts once its code came back', async () => {
    const { token, userId } = await people.newPerson({ username: 'patchy' });
    const email = 'patchy@example.com';
    expect(await people.send('PATCH', '/me', token, { name: 'Patchy', email })).toMatchObject({
      status: 200,
      body: { name: 'Patchy', email: null, pendingEmail: email },
    });
    await people.post('/auth/verify', { email, code: await people.code(email) });
    expect((await people.get('/me', token)).body).toMatchObject({ email, pendingEmail: null, emailVerified: true });
    // The old one stays until the new one is proven.
    const next = 'patchy.next@example.com';
    expect((await people.send('PATCH', '/me', token, { email: next })).body).toMatchObject({
      email,
      emailVerified: true,
      pendingEmail: next,
    });
    expect(await people.logIn({ email })).toMatchObject({ userId });
    await people.post('/auth/verify', { email: next, code: await people.code(next) });
    expect((await people.post('/auth/login', { email, password: PASSWORD })).status).toBe(401);
    expect(await people.logIn({ email: next })).toMatchObject({ userId });
    expect((await people.send('PATCH', '/me', token, { name: null })).body).toMatchObject({ name: null });
  });

  it('corrects an address that was never proven', async () => {
    const { token } = await people.newPerson({ email: 'typo@exmaple.com' });
    expect((await people.send('PATCH', '/me', token, { email: 'typo@example.com' })).body).toMatchObject({
      email: 'typo@example.com',
      emailVerified: false,
      pendingEmail: null,
    });
    const old = await people.code('typo@exmaple.com');
    expect((await people.post('/auth/verify', { email: 'typo@exmaple.com', code: old })).status).toBe(422);
  });

  it.each([{}, { email: 'no' }, { phone: '123' }, { username: 'other' }, { status: 'ACTIVE' }, { name: '' }])(
    'refuses %j',
    async (body) => {
      const { token } = await people.logIn({ username: 'patchy' });
      expect((await people.send('PATCH', '/me', token, body)).status).toBe(400);
    },
  );
});

describe('GET /internal/users', () => {
  const asService = async (path: string) => {
    const answer = await postForm(`${auth.url}/oauth/token`, {
      grant_type: 'client_credentials',
      client_id: 'svc_payment',
      client_secret: auth.environment['SERVICE_CLIENT_SECRET'] ?? '',
    });
    return await people.get(path, tokenOf(answer));
  };

  it('finds a person by user name, and by an address only who has proven it', async () => {
    const proven = 'internal@example.com';
    const { userId, token } = await people.newPerson({ email: proven });
    expect((await asService(`/internal/users?email=${proven}`)).status).toBe(404);
    expect((await asService(`/internal/users/${userId}`)).body).toMatchObject({ userId, verified: false });
    await people.post('/auth/verify', { email: proven, code: await people.code(proven) });
    await register({ email: proven, password: 'the password of another' });
    expect((await asService(`/internal/users?email=${proven.toUpperCase()}`)).body).toEqual({
      userId,
      username: null,
      email: proven,
      phone: null,
      name: null,
      status: 'ACTIVE',
      verified: true,
      emailVerified: true,
      phoneVerified: false,
    });
    expect((await asService('/internal/users?username=ALICE')).body).toMatchObject({
      username: 'alice',
      verified: true,
    });
    expect((await asService('/internal/users?username=a&email=b')).status).toBe(400);
    expect((await people.get(`/internal/users/${userId}`, token)).status).toBe(403);
    expect((await people.get(`/internal/users/${userId}`)).status).toBe(401);
  });
});

describe('outside demo mode', () => {
  it('there is no mailbox, and nothing is put into it', async () => {
    const { DEMO_DATA: _, ...environment } = auth.environment;
    const plain = await startAuth(database, { ...environment, DEMO_MODE: 'false' }, auth.demo);
    try {
      expect((await get(`${plain.url}/dev/mailbox`)).status).toBe(404);
      await postJson(`${plain.url}/auth/register`, { email: 'live@example.com', password: PASSWORD });
      expect(await people.mails('live@example.com')).toEqual([]);
      expect(await rowsOf(`SELECT 1 FROM account_codes WHERE address = 'live@example.com'`)).toHaveLength(1);
    } finally {
      await plain.stop();
    }
  });
});
