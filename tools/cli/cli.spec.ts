import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';

import { run } from './program.ts';

/** The command line against a PayFlow on loopback that says what a test wants. */
interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Reply = readonly [status: number, body: unknown];

class Loopback {
  readonly received: Received[] = [];
  replies: (request: Received) => Reply = () => [404, { code: 'route_not_found' }];
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const received = { method, url, headers, body: Buffer.concat(chunks).toString() };
      this.received.push(received);
      const [status, body] = this.replies(received);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });

  async open(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

const payflow = new Loopback();
const receiver = new Loopback();
let url = '';
let receiverUrl = '';

beforeAll(async () => {
  url = await payflow.open();
  receiverUrl = await receiver.open();
  receiver.replies = () => [204, null];
});
afterAll(async () => {
  await payflow.close();
  await receiver.close();
});
afterEach(() => {
  payflow.received.length = 0;
  receiver.received.length = 0;
});

/** Answers by method and path without its query; tokens are given to everybody. */
const answers = (routes: Readonly<Record<string, Reply | ((request: Received) => Reply)>>): void => {
  payflow.replies = (request) => {
    const path = request.url.split('?')[0] ?? '';
    if (path === '/oauth/token') return [200, { access_token: 'token-of-the-client' }];
    if (path === '/auth/login') return [200, { token: 'token-of-the-operator' }];
    const reply = routes[`${request.method} ${path}`];
    if (reply === undefined) return [404, { code: 'route_not_found', title: `${request.method} ${path}` }];
    return typeof reply === 'function' ? reply(request) : reply;
  };
};

const cli = async (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  let [out, err] = ['', ''];
  const exitCode = await run(args, {
    environment: {
      PAYFLOW_URL: url,
      PAYFLOW_CLIENT_ID: 'cli_1',
      PAYFLOW_CLIENT_SECRET: 'secret',
      PAYFLOW_EMAIL: 'ops@example.com',
      PAYFLOW_PASSWORD: 'a phrase',
      ...environment,
    },
    out: (text) => (out += text),
    err: (text) => (err += text),
    watched: false,
  });
  return { exitCode, out, err, json: <Body>(): Body => JSON.parse(out) as Body };
};

const bodyOf = (path: string): unknown =>
  JSON.parse(payflow.received.findLast((one) => one.url.split('?')[0] === path)?.body ?? 'null');
const lastTo = (path: string): Received | undefined =>
  payflow.received.findLast((one) => one.url.split('?')[0] === path);

/** What the command line colours by itself is meant for the terminal. */
const withoutColours = (text: string): string => text.replaceAll(/\u001b\[(?:2|22|31|33|39)m/g, '');

const PAYMENT = {
  paymentId: 'pay_1',
  status: 'CAPTURED',
  authorizedAmount: 1000,
  capturedAmount: 1000,
  currency: 'USD',
};

describe('payflow', () => {
  it('says what there is, and each command how it is used', async () => {
    for (const args of [['--help'], ['pay', '--help'], ['dlq', 'replay', '--help'], ['listen', '--help']]) {
      const { exitCode, out } = await cli(args);
      expect(exitCode).toBe(0);
      expect(out).toContain('Usage: payflow');
    }
    expect((await cli(['pay', '--help'])).out).toContain('Examples:');
  });

  it.each([
    [['nonsense']],
    [['pay', '--amount', '-1']],
    [['pay', '--amount', '10.50']],
    [['listen']],
    [['listen', '--forward-to', 'nowhere']],
    [['trigger', 'payment.forged']],
    [['dlq', 'replay', 'ledger', '--reason', 'x']],
    [['dlq', 'show', 'ledger', 'dl_1', '--group', 'g']],
    [['dlq', 'replay', 'ledger', 'dl_1']],
    [['recon', 'exceptions', '--status', 'LOST']],
  ])('answers wrong use with exit code 2: %j', async (args) => {
    answers({});
    expect((await cli(args)).exitCode).toBe(2);
    expect(payflow.received.filter(({ method, url: path }) => method === 'POST' && !path.startsWith('/oauth'))).toEqual(
      [],
    );
  });

  it('answers with exit code 3 where no PayFlow is, and where none is known', async () => {
    const gone = await cli(['status', '--json'], { PAYFLOW_URL: 'http://127.0.0.1:1' });
    expect(gone.exitCode).toBe(3);
    expect(gone.json<{ error: string }>().error).toMatch(/does not answer at http:\/\/127\.0\.0\.1:1/);
    const unknown = await cli(['status'], { PAYFLOW_URL: '', PAYFLOW_HOME: '/nowhere/at/all' });
    expect(unknown.exitCode).toBe(3);
    expect(unknown.err).toContain('npm start');
  });

  it('passes a refusal on: the problem for scripts, a sentence for people, and exit code 1', async () => {
    const problem = { status: 404, code: 'payment_not_found', title: 'There is no such payment' };
    answers({ 'GET /payments/pay_9': [404, problem] });
    const scripted = await cli(['payments', 'get', 'pay_9', '--json']);
    expect(scripted.exitCode).toBe(1);
    expect(scripted.json()).toMatchObject({ problem });
    expect((await cli(['payments', 'get', 'pay_9'])).err).toContain('There is no such payment');
    payflow.replies = () => [401, { code: 'invalid_credentials' }];
    expect((await cli(['payments', 'get', 'pay_9'])).err).toContain('Signing in as client cli_1 was refused');
  });

  it('signs in again when its token has run out, and asks the same once more', async () => {
    let signedIn = 0;
    answers({
      'POST /payments/pay_1/refund': ({ headers }) =>
        headers.authorization === 'Bearer token-2'
          ? [200, { refundId: 'ref_1', status: 'SUCCEEDED' }]
          : [401, { code: 'token_expired' }],
    });
    const routes = payflow.replies;
    payflow.replies = (request) =>
      request.url === '/oauth/token' ? [200, { access_token: `token-${(signedIn += 1)}` }] : routes(request);
    const { exitCode, json } = await cli(['payments', 'refund', 'pay_1', '--json']);
    expect(exitCode).toBe(0);
    expect(json()).toMatchObject({ refundId: 'ref_1' });
    const asked = payflow.received.filter(({ url: path }) => path.endsWith('/refund'));
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('says so where the fresh token is not taken either, and goes on asking no longer', async () => {
    answers({ 'GET /payments/pay_1': [401, { code: 'session_ended', title: 'The session has ended' }] });
    const { exitCode, err } = await cli(['payments', 'get', 'pay_1']);
    expect(exitCode).toBe(1);
    expect(err).toContain(
      'PayFlow does not take the token that it has just given; was the login closed? (401): session_ended',
    );
    expect(payflow.received.filter(({ url: path }) => path === '/payments/pay_1')).toHaveLength(2);
  });

  it('never has a terminal obey what others wrote', async () => {
    const evil = 'a\u001b[2J\u009b1m\u007f\rb\u202ec';
    const shown = 'a\\u001b[2J\\u009b1m\\u007f\\u000db\\u202ec';
    const line = { at: 'x', kind: 'event', service: 'payment', id: 'evt_1', summary: `${evil}\nanother line` };
    answers({
      'GET /payments/pay_1/timeline': [200, { data: [line], missing: [evil] }],
      'GET /payments/pay_2': [404, { code: 'payment_not_found', title: evil }],
      'GET /operations/ledger/dead-letters/dl_1': [200, { deadLetterId: 'dl_1', [evil]: evil, body: `${evil}\n\tb` }],
    });
    const timeline = await cli(['payments', 'timeline', 'pay_1']);
    expect(timeline.out).toContain(`${shown}\\u000aanother line`);
    expect(timeline.out).toContain(`Did not answer: ${shown}`);
    expect((await cli(['payments', 'get', 'pay_2'])).err).toContain(shown);
    const letter = await cli(['dlq', 'show', 'ledger', 'dl_1']);
    expect(letter.out).toContain(`\n\n${shown}\n\tb`);
    const scripted = await cli(['payments', 'timeline', 'pay_1', '--json']);
    expect(scripted.json()).toMatchObject({ data: [line] });
    for (const { out } of [timeline, letter, scripted])
      expect(withoutColours(out)).not.toMatch(/(?![\n\t])[\p{Cc}\u202e]/u);
  });
});

describe('status and doctor', () => {
  const services = { ledger: { status: 'up', checks: { database: 'up' } }, auth: { status: 'down', checks: {} } };

  it('tell each service, also when one is down', async () => {
    answers({ 'GET /health/ready': [503, { status: 'down', checks: {}, services }] });
    const { exitCode, out } = await cli(['status']);
    expect(exitCode).toBe(1);
    expect(out).toMatch(/ledger +up +database up/);
    expect((await cli(['status', '--json'])).json()).toMatchObject({ status: 'down', services });
    payflow.replies = () => [200, { hello: 'world' }];
    expect((await cli(['status'])).exitCode).toBe(3);
  });

  it('look at everything that may be missing, and name what is', async () => {
    answers({
      'GET /health/ready': [200, { status: 'up', checks: {}, services }],
      'GET /health/live': [200, { status: 'up' }],
    });
    const { checks } = (await cli(['doctor', '--json'])).json<{ checks: { name: string; ok: boolean }[] }>();
    expect(checks.map(({ name }) => name)).toEqual([
      'Node.js',
      'Java',
      'Maven, or Kafka from before',
      'disk',
      'ports',
      'gateway',
      'Postgres',
      'Kafka',
      'clock',
    ]);
    expect(checks.filter(({ name }) => ['gateway', 'clock', 'ports'].includes(name)).map(({ ok }) => ok)).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe('payments', () => {
  it('are authorized and captured with a test card, in the name of the client, under a key', async () => {
    answers({ 'POST /payments/authorize': [201, PAYMENT] });
    const { exitCode, json } = await cli(['pay', '--amount', '1000', '--key', 'my-key', '--json']);
    expect(exitCode).toBe(0);
    expect(json()).toEqual(PAYMENT);
    expect(bodyOf('/payments/authorize')).toMatchObject({
      amount: 1000,
      currency: 'USD',
      capture: true,
      paymentMethod: { type: 'card', card: { number: '4242424242424242' } },
    });
    expect(lastTo('/payments/authorize')?.headers).toMatchObject({
      authorization: 'Bearer token-of-the-client',
      'idempotency-key': 'my-key',
    });
    expect(bodyOf('/oauth/token')).toMatchObject({ grant_type: 'client_credentials', client_id: 'cli_1' });
  });

  it('that are declined are told, with exit code 1', async () => {
    answers({
      'POST /payments/authorize': [201, { ...PAYMENT, status: 'FAILED', lastError: { code: 'card_declined' } }],
    });
    const { exitCode, out } = await cli(['pay', '--card', '4000 0000 0000 0002', '--no-capture']);
    expect(exitCode).toBe(1);
    expect(out).toContain('card_declined');
    expect(bodyOf('/payments/authorize')).toMatchObject({
      capture: false,
      paymentMethod: { card: { number: '4000000000000002' } },
    });
  });

  it('are read, captured and refunded, whole or in part', async () => {
    answers({
      'GET /payments/pay_1': [200, PAYMENT],
      'POST /payments/pay_1/capture': [200, PAYMENT],
      'POST /payments/pay_1/refund': [202, { refundId: 'ref_1', status: 'PENDING' }],
    });
    expect((await cli(['payments', 'get', 'pay_1', '--json'])).json()).toEqual(PAYMENT);
    await cli(['payments', 'capture', 'pay_1']);
    expect(bodyOf('/payments/pay_1/capture')).toEqual({});
    const refund = await cli(['payments', 'refund', 'pay_1', '--amount', '400', '--json']);
    expect(refund.json()).toMatchObject({ refundId: 'ref_1' });
    expect(bodyOf('/payments/pay_1/refund')).toEqual({ amount: 400 });
  });

  it('have a timeline, which staff read', async () => {
    const line = { at: '2026-11-21T10:00:00.000Z', kind: 'event', service: 'payment', id: 'evt_1', summary: 'created' };
    answers({ 'GET /payments/pay_1/timeline': [200, { data: [line], missing: ['fraud'] }] });
    const { out } = await cli(['payments', 'timeline', 'pay_1']);
    expect(out).toContain('created');
    expect(out).toContain('Did not answer: fraud');
    expect(lastTo('/payments/pay_1/timeline')?.headers.authorization).toBe('Bearer token-of-the-operator');
  });
});

describe('events', () => {
  it('are made to happen by a payment that has them', async () => {
    answers({
      'POST /payments/authorize': [201, PAYMENT],
      'POST /payments/pay_1/refund': [200, { refundId: 'ref_1', status: 'SUCCEEDED' }],
    });
    expect((await cli(['trigger', 'payment.refunded', '--json'])).json()).toMatchObject({
      event: 'payment.refunded',
      paymentId: 'pay_1',
    });
    await cli(['trigger', 'dispute.opened']);
    expect(bodyOf('/payments/authorize')).toMatchObject({ paymentMethod: { card: { number: '4000000000000259' } } });
  });

  it('are posted to a receiver, those that are wanted, in order, so that a foreign verifier believes them', async () => {
    const event = (id: string, type: string) => ({ id, type, version: 1, data: { amount: 5 } });
    const pages = [
      { data: [event('evt_1', 'payment.captured'), event('evt_2', 'payout.paid')], nextCursor: '2', hasMore: true },
      { data: [event('evt_3', 'dispute.opened')], nextCursor: '3', hasMore: false },
    ];
    answers({ 'GET /events': ({ url: path }) => [200, path.includes('cursor=2') ? pages[1] : pages[0]] });
    const args = ['--events', 'payment.captured,dispute.*', '--max', '2', '--interval', '10', '--json'];
    const { exitCode, out } = await cli(['listen', '--forward-to', `${receiverUrl}/hooks`, ...args]);
    expect(exitCode).toBe(0);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.slice(1)).toEqual([
      { id: 'evt_1', type: 'payment.captured', status: 204 },
      { id: 'evt_3', type: 'dispute.opened', status: 204 },
    ]);
    const verifier = new Webhook(String(lines[0]?.['secret']));
    for (const { headers, body } of receiver.received)
      expect(verifier.verify(body, headers as Record<string, string>)).toMatchObject({ data: { amount: 5 } });
    expect(receiver.received).toHaveLength(2);
  });

  it('that no receiver takes are told and not held back', async () => {
    const data = [{ id: 'evt_1', type: 'payment.captured' }];
    answers({ 'GET /events': [200, { data, nextCursor: '1', hasMore: false }] });
    const { out } = await cli(['listen', '--forward-to', 'http://127.0.0.1:1', '--max', '1', '--json']);
    expect(JSON.parse(out.trim().split('\n')[1] ?? '')).toEqual({
      id: 'evt_1',
      type: 'payment.captured',
      status: null,
    });
  });
});

describe('dead letters', () => {
  const at = '/operations/ledger/dead-letters';
  const GROUP = '0123456789ab';
  const now = { open: 0, replaying: 0, replayed: 3, discarded: 0 };
  const job = { jobId: 'dlj_1', status: 'done', total: 3, handled: 3, skipped: 0, now };

  it('are listed over all services, and what is missing is said', async () => {
    const group = {
      service: 'ledger',
      group: GROUP,
      count: 3,
      topic: 't',
      reason: 'no such account',
      lastFailedAt: 'x',
    };
    answers({ 'GET /operations/dead-letters': [200, { data: [group], missing: ['wallet'], complete: false }] });
    const { out } = await cli(['dlq', 'list']);
    expect(out).toMatch(/ledger +0123456789ab +3/);
    expect(out).toContain('Did not answer: wallet');
    expect((await cli(['dlq', 'list', '--json'])).json()).toMatchObject({ data: [group] });
  });

  it('are shown one by one and by cause, and tried without effect', async () => {
    answers({
      [`GET ${at}/dl_1`]: [200, { deadLetterId: 'dl_1', status: 'open', body: '{"a":1}' }],
      [`GET ${at}`]: [200, { data: [{ deadLetterId: 'dl_1', status: 'open', attempts: 4 }] }],
      [`POST ${at}/dl_1/dry-run`]: [200, { wouldSucceed: false, reason: 'still no account' }],
      [`POST ${at}/dry-run`]: [200, { open: 3, tried: 3, wouldSucceed: 3, outcomes: [] }],
    });
    expect((await cli(['dlq', 'show', 'ledger', 'dl_1'])).out).toContain('{"a":1}');
    expect((await cli(['dlq', 'show', 'ledger', '--group', GROUP])).out).toContain('dl_1');
    expect((await cli(['dlq', 'dry-run', 'ledger', 'dl_1'])).exitCode).toBe(1);
    expect((await cli(['dlq', 'dry-run', 'ledger', '--group', GROUP])).exitCode).toBe(0);
    expect(bodyOf(`${at}/dry-run`)).toEqual({ group: GROUP });
  });

  it('are replayed by cause, at a rate, with a reason, and waited for', async () => {
    let looks = 0;
    answers({
      [`POST ${at}/replay`]: [202, { ...job, status: 'running', handled: 0, now: { ...now, open: 3, replayed: 0 } }],
      [`GET ${at}/jobs/dlj_1`]: () => {
        looks += 1;
        return [200, looks < 2 ? { ...job, now: { ...now, replaying: 3, replayed: 0 } } : job];
      },
    });
    const args = ['--group', GROUP, '--reason', 'the account is there', '--rate', '20', '--json'];
    const { exitCode, json } = await cli(['dlq', 'replay', 'ledger', ...args]);
    expect(exitCode).toBe(0);
    expect(json()).toEqual(job);
    expect(looks).toBe(2);
    expect(bodyOf(`${at}/replay`)).toEqual({ group: GROUP, reason: 'the account is there', ratePerSecond: 20 });
  });

  it('that fail again are told, with exit code 1', async () => {
    const open = { deadLetterId: 'dl_1', status: 'open', reason: 'again' };
    answers({
      [`POST ${at}/dl_1/replay`]: [202, { ...open, status: 'replaying' }],
      [`GET ${at}/dl_1`]: [200, open],
      [`POST ${at}/discard`]: [202, { ...job, now: { ...now, replayed: 0, discarded: 3 } }],
    });
    expect((await cli(['dlq', 'replay', 'ledger', 'dl_1', '--reason', 'perhaps'])).exitCode).toBe(1);
    expect((await cli(['dlq', 'discard', 'ledger', '--group', GROUP, '--reason', 'a test'])).exitCode).toBe(0);
  });
});

describe('settlement', () => {
  it('is run and waited for', async () => {
    const counts = { lineCount: 0, settlementCount: 0, payoutCount: 0, setAsideCount: 0 };
    const started = { runId: 'set_1', phase: 'SETTLING', ...counts, waitsUntil: null };
    const done = { ...started, phase: 'DONE', lineCount: 7, settlementCount: 2, payoutCount: 1 };
    answers({ 'POST /settlements/run': [202, started], 'GET /settlements/runs/set_1': [200, done] });
    const { exitCode, json } = await cli(['settle', 'run', '--merchant', 'mer_1', '--json']);
    expect(exitCode).toBe(0);
    expect(json()).toEqual(done);
    expect(bodyOf('/settlements/run')).toEqual({ merchantId: 'mer_1' });
    expect((await cli(['settle', 'run', '--no-wait', '--json'])).json()).toEqual(started);
  });

  it('has differences that are listed by source and kind', async () => {
    const difference = {
      exceptionId: 'sex_1',
      kind: 'amount',
      source: 'acquirer:sim',
      reference: 'cap_1',
      status: 'OPEN',
    };
    answers({ 'GET /reconciliation/exceptions': [200, { data: [difference], nextCursor: null }] });
    const { out } = await cli(['recon', 'exceptions', '--source', 'acquirer:sim', '--kind', 'amount']);
    expect(out).toContain('sex_1');
    expect(lastTo('/reconciliation/exceptions')?.url).toContain('status=OPEN&source=acquirer%3Asim&kind=amount');
  });
});
