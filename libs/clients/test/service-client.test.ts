import { PROBLEMS } from '@payflow/contracts';
import { problemDocument, Problem, runInContext } from '@payflow/service';
import { eventually, TokenMint } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import {
  ContractError,
  LedgerClient,
  RemoteProblem,
  ServiceClient,
  type ServiceRequest,
  ServiceTokens,
  ServiceUnavailableError,
  VaultClient,
} from '../src/index.js';
import { answers, fallsSilent, FarService, resets } from './far-service.js';

const answerSchema = z.object({ ok: z.boolean() });
const read: ServiceRequest<typeof answerSchema> = {
  method: 'GET',
  path: '/things',
  timeoutMs: 5_000,
  answer: answerSchema,
};
const write: ServiceRequest<typeof answerSchema> = { ...read, method: 'POST', body: { amount: 1 } };
const ok = answers(200, { ok: true });

let far: FarService;
let client: ServiceClient;
beforeAll(async () => {
  far = await FarService.open();
});
afterAll(async () => {
  await far.close();
});
beforeEach(() => {
  client = new ServiceClient({ service: 'ledger', url: far.url, accessToken: () => Promise.resolve('own-token') });
});
afterEach(async () => {
  await client.close();
});

const refusalOf = async (attempt: Promise<unknown>): Promise<unknown> =>
  await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a call to another service', () => {
  it('carries the ids of its context, its query and its own token', async () => {
    far.behave(ok);
    const context = { requestId: 'req_1', correlationId: 'req_0', traceparent: '00-a-b-01' };
    const request = { ...read, query: { a: 'x y', b: 2, c: undefined } };
    expect(await runInContext(context, async () => await client.request(request))).toEqual({ ok: true });
    expect(far.seen).toHaveLength(1);
    expect(far.seen[0]).toMatchObject({
      url: '/things?a=x+y&b=2',
      headers: {
        authorization: 'Bearer own-token',
        'x-request-id': 'req_1',
        'x-correlation-id': 'req_0',
        traceparent: '00-a-b-01',
      },
    });
  });

  it("passes the caller's authorization and key on where it is told to", async () => {
    far.behave(ok);
    await client.request({ ...write, authorization: 'Bearer of-the-caller', idempotencyKey: 'key-1' });
    expect(far.seen[0]?.headers).toMatchObject({ authorization: 'Bearer of-the-caller', 'idempotency-key': 'key-1' });
    expect(far.seen[0]?.body).toBe('{"amount":1}');
  });

  it('uses its connections again', async () => {
    far.behave(ok);
    for (let time = 0; time < 20; time += 1) await client.request(read);
    // The pool may open a second one while the first is still finishing its answer.
    expect(new Set(far.seen.map(({ callerPort }) => callerPort)).size).toBeLessThanOrEqual(2);
  });

  it('that is refused gets the same refusal, with its members', async () => {
    const problem = new Problem('insufficient_funds', {
      detail: 'Not enough.',
      errors: [{ pointer: '/a', code: 'c', message: 'm' }],
      extensions: { available: 5 },
    });
    far.behave(answers(422, problemDocument(problem, 'req_9', 'http://gateway')));
    const refusal = await refusalOf(client.request(read));
    expect(refusal).toBeInstanceOf(RemoteProblem);
    expect(refusal).toMatchObject({
      code: 'insufficient_funds',
      status: PROBLEMS.insufficient_funds.status,
      detail: 'Not enough.',
      errors: problem.errors,
      extensions: { available: 5 },
    });
  });

  it.each([401, 403, 429])('whose own token is refused with %s is no fault of whoever asked', async (status) => {
    const code =
      ({ 401: 'invalid_token', 403: 'insufficient_scope', 429: 'rate_limited' } as const)[status] ?? 'invalid_token';
    far.behave(answers(status, problemDocument(new Problem(code), 'req_9', 'http://gateway')));
    expect(await refusalOf(client.request(read))).toBeInstanceOf(ServiceUnavailableError);
    expect(await refusalOf(client.request({ ...read, authorization: 'Bearer x' }))).toMatchObject({ code });
  });

  it.each([
    ['an answer that its contract does not know', answers(200, { ok: 'yes 4242424242424242' }), ContractError],
    ['a refusal that is no problem document', answers(404, { error: 'nothing here' }), ServiceUnavailableError],
    ['an error', answers(500, { error: 'x' }), ServiceUnavailableError],
  ])('that gets %s fails, and repeats nothing of it', async (_name, behaviour, type) => {
    far.behave(behaviour);
    const error = await refusalOf(client.request(read));
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).not.toContain('4242');
    expect(far.seen).toHaveLength(1);
  });
});

describe('a service that is away', () => {
  it('was certainly not reached when the connection is refused', async () => {
    const gone = new ServiceClient({ service: 'ledger', url: 'http://127.0.0.1:9' });
    const error = await refusalOf(gone.request({ ...write, idempotencyKey: 'k' }));
    expect(error).toMatchObject({ code: 'dependency_unavailable', service: 'ledger', mayHaveTakenEffect: false });
    await gone.close();
  });

  it('was certainly not reached when there is no token to call it with', async () => {
    const unable = new ServiceClient({
      service: 'ledger',
      url: far.url,
      accessToken: () => Promise.reject(new ServiceUnavailableError('auth', true, 'silent')),
    });
    far.behave(ok);
    expect(await refusalOf(unable.request(write))).toMatchObject({ service: 'auth', mayHaveTakenEffect: false });
    expect(far.seen).toHaveLength(0);
    await unable.close();
  });

  it('may have been reached when it falls silent', async () => {
    far.behave(fallsSilent);
    const error = await refusalOf(client.request({ ...write, idempotencyKey: 'k', timeoutMs: 150 }));
    expect(error).toBeInstanceOf(ServiceUnavailableError);
    expect(error).toMatchObject({ mayHaveTakenEffect: true });
    expect(far.seen).toHaveLength(1);
    // What is left of a deadline has decimals, and with them it can pass for a card number in a log.
    expect((error as Error).cause).toMatchObject({ message: expect.stringMatching(/^no answer within \d+ ms$/) });
  });

  it.each([
    ['a read', read],
    ['a write with a key', { ...write, idempotencyKey: 'k' }],
    ['a write that is harmless twice', { ...write, repeatable: true }],
  ])('is asked once more after a reset: %s', async (_name, request) => {
    far.behave(resets, ok);
    expect(await client.request(request)).toEqual({ ok: true });
    expect(far.seen).toHaveLength(2);
  });

  it('is not asked again for a write without a key, nor a third time for any', async () => {
    far.behave(resets);
    expect(await refusalOf(client.request(write))).toMatchObject({ mayHaveTakenEffect: true });
    expect(far.seen).toHaveLength(1);
    expect(await refusalOf(client.request(read))).toMatchObject({ mayHaveTakenEffect: true });
    expect(far.seen).toHaveLength(3);
  });

  it('is left alone after ten failures in a row, and called again when it has had a second', async () => {
    far.behave(answers(503, {}));
    for (let time = 0; time < 10; time += 1) await refusalOf(client.request(read));
    far.behave(ok);
    expect(await refusalOf(client.request(read))).toMatchObject({ mayHaveTakenEffect: false });
    expect(far.seen).toHaveLength(0);
    expect(await eventually(async () => await client.request(read))).toEqual({ ok: true });
  });

  it('is not left alone for refusing', async () => {
    far.behave(answers(404, problemDocument(new Problem('token_not_found'), 'req_9', 'http://gateway')));
    for (let time = 0; time < 20; time += 1) {
      expect(await refusalOf(client.request(read))).toBeInstanceOf(RemoteProblem);
    }
    expect(far.seen).toHaveLength(20);
  });
});

describe("a service's own token", () => {
  const token = (accessToken: string, expiresIn: number) =>
    answers(200, { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn, scope: 'internal' });
  const tokensOf = (authUrl: string): ServiceTokens =>
    new ServiceTokens({ authUrl, clientId: 'svc_payment', clientSecret: 's%cret:ü' });

  it('is fetched once for many callers and kept', async () => {
    far.behave(token('t1', 300));
    const tokens = tokensOf(far.url);
    const held = await Promise.all(Array.from({ length: 10 }, () => tokens.accessToken()));
    expect(new Set([...held, await tokens.accessToken()])).toEqual(new Set(['t1']));
    expect(far.seen).toHaveLength(1);
    const basic = Buffer.from(far.seen[0]?.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
    expect(basic).toBe('svc_payment:s%25cret%3A%C3%BC');
    await tokens.close();
  });

  it('is replaced when it has run out', async () => {
    far.behave(token('t1', 0), token('t2', 300));
    const tokens = tokensOf(far.url);
    expect([await tokens.accessToken(), await tokens.accessToken(), await tokens.accessToken()]).toEqual([
      't1',
      't2',
      't2',
    ]);
    await tokens.close();
  });

  it('is asked for again after a failure', async () => {
    far.behave(answers(503, {}), token('t1', 300));
    const tokens = tokensOf(far.url);
    expect(await refusalOf(tokens.accessToken())).toBeInstanceOf(ServiceUnavailableError);
    expect(await tokens.accessToken()).toBe('t1');
    await tokens.close();
  });

  it('is taken from a real issuer', async () => {
    const mint = await TokenMint.open();
    const tokens = tokensOf(mint.url);
    expect((await tokens.accessToken()).split('.')).toHaveLength(3);
    await tokens.close();
    await mint.close();
  });
});

describe('the vault', () => {
  const merchantId = 'mer_01kxyz6w3hf8btq2v9m4n7r5sd';
  const forwarded = {
    tokenId: 'tok_abcdef',
    paymentId: 'pay_01kxyz6w3hf8btq2v9m4n7r5sd',
    attemptId: 'att_01kxyz6w3hf8btq2v9m4n7r5sd',
    merchantId,
    acquirer: 'sim',
    path: '/authorizations',
    headers: {},
    encoding: 'json' as const,
    body: {},
    keepCvc: false,
    timeoutMs: 100,
  };
  const vaultAt = (url: string): VaultClient => new VaultClient({ url, accessToken: () => Promise.resolve('own') });

  it('forwards, and tells what became of it', async () => {
    const vault = vaultAt(far.url);
    far.behave(answers(200, { outcome: 'answered', status: 201, body: { id: 'x' } }));
    expect(await vault.forward(forwarded)).toEqual({ outcome: 'answered', status: 201, body: { id: 'x' } });
    expect(JSON.parse(far.seen[0]?.body ?? '')).toEqual(forwarded);
    await vault.close();
  });

  it('that cannot be reached has sent nothing; one that fell silent or broke may have', async () => {
    const away = vaultAt('http://127.0.0.1:9');
    await expect(away.forward(forwarded)).rejects.toMatchObject({ mayHaveTakenEffect: false });
    await away.close();
    const vault = vaultAt(far.url);
    far.behave(answers(500, {}));
    expect(await vault.forward(forwarded)).toMatchObject({ outcome: 'no_answer' });
    far.behave(resets);
    expect(await vault.forward(forwarded)).toMatchObject({ outcome: 'no_answer' });
    await vault.close();
  });

  it('refuses a token by a problem', async () => {
    const vault = vaultAt(far.url);
    far.behave(answers(422, problemDocument(new Problem('token_unusable'), 'req_9', 'http://gateway')));
    await expect(vault.forward(forwarded)).rejects.toMatchObject({ code: 'token_unusable' });
    await vault.close();
  });

  it('is asked about a token in the name of its owner', async () => {
    const vault = vaultAt(far.url);
    far.behave(answers(200, { usable: false, reason: 'expired' }));
    expect(await vault.usability('tok_abcdef', { merchantId })).toEqual({ usable: false, reason: 'expired' });
    await vault.usability('tok_abcdef', { merchantId, userId: 'user 1' });
    expect(far.seen.map(({ url }) => url)).toEqual([
      `/internal/tokens/tok_abcdef?merchantId=${merchantId}`,
      `/internal/tokens/tok_abcdef?merchantId=${merchantId}&userId=user+1`,
    ]);
    await vault.close();
  });
});

describe('the ledger', () => {
  it("is asked for a payment's lines up to a sequence", async () => {
    const ledger = new LedgerClient({ url: far.url, accessToken: () => Promise.resolve('own') });
    far.behave(answers(200, { appliedSequence: 3, ledgerBalance: 100, entries: [] }));
    expect(await ledger.paymentEntries('pay_1', { sequence: 3, waitMs: 500 })).toMatchObject({ ledgerBalance: 100 });
    expect(far.seen[0]?.url).toBe('/internal/payments/pay_1/entries?sequence=3&waitMs=500');
    await ledger.close();
  });
});
