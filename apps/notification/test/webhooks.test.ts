import { createPublicKey, verify } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';

import { type Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually as repeated } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Webhook } from 'standardwebhooks';

import { ForgetOldEvents } from '../src/application/forget-old-events.js';
import { ReceiverAddresses } from '../src/clients/receiver-addresses.js';
import { NameServer } from './name-server.js';
import { answer, answers, type Behaviour, type Received, Receiver } from './receiver.js';
import { PATIENT, WebhooksUnderTest } from './webhooks-under-test.js';

const eventually = async <Result>(check: () => Result | Promise<Result>, intervalMs = 25): Promise<Result> =>
  await repeated(check, { ...PATIENT, intervalMs });
/** How often time is moved on: so seldom that no endpoint fails for five days while a busy machine does nothing. */
const STEP_MS = 250;

let hooks: WebhooksUnderTest;
const receivers: Receiver[] = [];

jest.setTimeout(600_000);

beforeAll(async () => {
  hooks = await WebhooksUnderTest.start();
});
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});
afterAll(async () => {
  await hooks.stop();
});

const receiverWith = async (behaviour?: Behaviour): Promise<Receiver> => {
  const receiver = await Receiver.open(behaviour);
  receivers.push(receiver);
  return receiver;
};

/** As the specification has it, without a library: `whpk_` and the raw key, the signature over id, time and body. */
const verifiesV1a = ({ headers, body }: Received, publicKey: string): boolean => {
  const raw = Buffer.from(publicKey.replace(/^whpk_/, ''), 'base64');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') } });
  const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  return (headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((signature) => signature.startsWith('v1a,'))
    .some((signature) => verify(null, content, key, Buffer.from(signature.slice('v1a,'.length), 'base64')));
};

const verifiesV1 = ({ headers, body }: Received, secret: string): boolean => {
  try {
    new Webhook(secret).verify(body, { ...headers });
    return true;
  } catch {
    return false;
  }
};

describe('a webhook', () => {
  it('brings an event once, signed twice, with the bytes that the feed has', async () => {
    const receiver = await receiverWith();
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url, { eventTypes: ['payment.*'] });
    const [told, next] = hooks.begun(merchant.merchantId, 2);
    await hooks.send('payment.created', [told!]);
    const [received] = await eventually(() => {
      expect(receiver.received).toHaveLength(1);
      return receiver.received;
    });
    expect(received?.id).toBe(told?.eventId);
    expect(verifiesV1(received!, endpoint.secret)).toBe(true);
    expect(verifiesV1a(received!, endpoint.publicKeys[0] ?? '')).toBe(true);
    expect(verifiesV1({ ...received!, body: received!.body.replace('1050', '1051') }, endpoint.secret)).toBe(false);
    expect(verifiesV1a({ ...received!, body: received!.body.replace('1050', '1051') }, endpoint.publicKeys[0]!)).toBe(
      false,
    );
    expect(JSON.parse(received!.body)).toEqual({
      id: told?.eventId,
      type: 'payment.created',
      version: 1,
      timestamp: told?.occurredAt,
      merchantId: merchant.merchantId,
      aggregateId: told?.aggregateId,
      sequence: 1,
      data: told?.payload,
    });
    const feed = await hooks.get('/events', merchant);
    expect(feed.text).toContain(`"data":[${received!.body}]`);
    expect((await hooks.get(`/events/${told?.eventId}`, merchant)).text).toBe(received!.body);

    // Kafka brings it again; the next one is there when it has been looked at.
    await hooks.send('payment.created', [told!, next!]);
    await eventually(() => {
      expect(receiver.received).toHaveLength(2);
    });
    expect(Object.values(receiver.counts)).toEqual([1, 1]);
    await eventually(async () => {
      expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 2 });
    });
  });

  it('goes to each endpoint that wants its type, of its own merchant alone', async () => {
    const [all, some, others] = [await receiverWith(), await receiverWith(), await receiverWith()];
    const merchant = hooks.merchant();
    await hooks.endpoint(merchant, all.url);
    await hooks.endpoint(merchant, some.url, { eventTypes: ['payment.stuck', 'payout.*'] });
    await hooks.endpoint(hooks.merchant(), others.url);
    const [created, stuck] = await hooks.payment(merchant.merchantId, ['created', 'stuck']);
    await eventually(() => {
      expect(all.received.map(({ id }) => id).sort()).toEqual([created?.eventId, stuck?.eventId].sort());
      expect(some.received.map(({ id }) => id)).toEqual([stuck?.eventId]);
    });
    expect(others.received).toEqual([]);
  });

  it('that is refused twice is sent under the same id until it is accepted, and the log shows each try', async () => {
    const receiver = await receiverWith(answers(500, 503, 200));
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url);
    const [told] = await hooks.payment(merchant.merchantId);
    for (const tries of [1, 2]) {
      await eventually(async () => {
        expect(await hooks.delivery(endpoint.id, told!.eventId)).toMatchObject({ status: 'PENDING', tries });
      });
      const { body } = await hooks.get(`/webhook-endpoints/${endpoint.id}/deliveries`, merchant);
      expect(Date.parse(body['data'][0].nextTryAt)).toBeGreaterThan(Date.now());
      await hooks.passTime(endpoint.id, 600);
    }
    await eventually(async () => {
      expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 1 });
    });
    expect(receiver.received.map(({ id }) => id)).toEqual(Array.from({ length: 3 }, () => told?.eventId));
    expect(receiver.received.every((one) => verifiesV1(one, endpoint.secret))).toBe(true);
    const { body } = await hooks.get(`/webhook-endpoints/${endpoint.id}/deliveries`, merchant);
    expect(body['data']).toEqual([
      expect.objectContaining({
        eventId: told?.eventId,
        eventType: 'payment.created',
        status: 'DELIVERED',
        triesMade: 3,
        nextTryAt: null,
        tries: [
          expect.objectContaining({ number: 3, statusCode: 200, error: null }),
          expect.objectContaining({ number: 2, statusCode: 503, error: 'status' }),
          expect.objectContaining({ number: 1, statusCode: 500, error: 'status' }),
        ],
      }),
    ]);
    expect((await hooks.get(`/webhook-endpoints/${endpoint.id}/statistics`, merchant)).body).toMatchObject({
      pending: 0,
      lastDay: { tries: 3, accepted: 1, refused: 2 },
      failingSince: null,
    });
  });
});

describe('a receiver', () => {
  /** @returns the first try in the log */
  const firstTry = async (behaviour: Behaviour): Promise<{ readonly receiver: Receiver; readonly tried: unknown }> => {
    const receiver = await receiverWith(behaviour);
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url);
    const sent = await hooks.post(`/webhook-endpoints/${endpoint.id}/test`, { as: merchant });
    expect(sent.status).toBe(202);
    const { tries } = await eventually(async () => {
      const { body } = await hooks.get(`/webhook-endpoints/${endpoint.id}/deliveries/${sent.body['id']}`, merchant);
      expect(body['tries']).toHaveLength(1);
      return body;
    });
    return { receiver, tried: tries[0] };
  };

  it('that never answers has its time', async () => {
    const { tried } = await firstTry(() => undefined);
    expect(tried).toMatchObject({ statusCode: null, error: 'timeout' });
  });

  it('that never ends its headers has its time', async () => {
    const { tried } = await firstTry((response) => {
      response.socket?.write('HTTP/1.1 200 OK\r\nx-slow: ');
    });
    expect(tried).toMatchObject({ statusCode: null, error: 'timeout' });
  });

  it('that answers 100 MB has accepted it, and is not read to the end', async () => {
    let written = 0;
    const chunk = Buffer.alloc(1_000_000);
    const { tried } = await firstTry((response) => {
      response.writeHead(200);
      const write = (): void => {
        while (written < 100 * chunk.length && !response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    expect(tried).toMatchObject({ statusCode: 200, error: null });
    expect(written).toBeLessThan(50 * chunk.length);
  });

  it('that drips its answer byte by byte has accepted it, and is cut off', async () => {
    let closed = false;
    const { tried } = await firstTry((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      const drip = setInterval(() => response.write('x'), 100);
      response.on('close', () => {
        closed = true;
        clearInterval(drip);
      });
    });
    expect(tried).toMatchObject({ statusCode: 200, error: null });
    await eventually(() => {
      expect(closed).toBe(true);
    });
  });

  it('that redirects has refused it: nobody is asked where it points to', async () => {
    const target = await receiverWith();
    const { tried } = await firstTry(answer(302, { location: target.url }));
    expect(tried).toMatchObject({ statusCode: 302, error: 'redirect' });
    expect(target.connections).toBe(0);
  });

  it('that hangs up has not accepted it', async () => {
    const { tried } = await firstTry((response) => {
      response.socket?.destroy();
    });
    expect(tried).toMatchObject({ statusCode: null, error: 'connection_failed' });
  });

  it('that answers with headers without end has not accepted it', async () => {
    const { tried } = await firstTry((response) => {
      response.socket?.end(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(100_000)}\r\n\r\n`);
    });
    expect(tried).toMatchObject({ statusCode: null, error: 'bad_answer' });
  });

  it('that says it is gone is disabled at once, and that is told', async () => {
    const receiver = await receiverWith(answer(410));
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url);
    const [told] = await hooks.payment(merchant.merchantId);
    await eventually(async () => {
      const { body } = await hooks.get(`/webhook-endpoints/${endpoint.id}`, merchant);
      expect(body).toMatchObject({ status: 'DISABLED', disabledReason: 'gone' });
    });
    const { id, status } = await hooks.delivery(endpoint.id, told!.eventId);
    expect(status).toBe('FAILED');
    expect((await hooks.outbox(id)).map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ endpointId: endpoint.id, reason: 'status 410', tries: 1, endpointDisabled: false }),
      expect.objectContaining({ endpointId: endpoint.id, endpointDisabled: true, channel: 'webhook' }),
    ]);
    // What happens now is in the feed, and is owed to nobody.
    const [next] = await hooks.payment(merchant.merchantId);
    await eventually(async () => {
      expect((await hooks.get(`/events/${next?.eventId}`, merchant)).status).toBe(200);
    });
    expect(await hooks.standings(endpoint.id)).toEqual({ FAILED: 1 });
  });
});

describe('an outage', () => {
  it('of an hour loses nothing: everything that is owed arrives, and each id is accepted once', async () => {
    const accepted = new Set<string>();
    let down = true;
    const receiver = await receiverWith((response, { id }) => {
      if (down) {
        response.writeHead(503).end();
        return;
      }
      response.writeHead(accepted.has(id) ? 500 : 200).end();
      accepted.add(id);
    });
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url);
    const before = await hooks.payments(merchant.merchantId, 40);
    await eventually(() => {
      expect(receiver.received.length).toBeGreaterThan(5);
    });
    // An hour goes by, in which it fails on, and more comes.
    let during: readonly string[] = [];
    for (let minutes = 0; minutes < 60; minutes += 20) {
      during = [...during, ...(await hooks.payments(merchant.merchantId, 10))];
      const seen = receiver.received.length;
      await eventually(async () => {
        await hooks.passTime(endpoint.id, 20 * 60);
        expect(receiver.received.length).toBeGreaterThan(seen);
      }, STEP_MS);
    }
    await eventually(async () => {
      expect(await hooks.standings(endpoint.id)).toEqual({ PENDING: 70 });
    });
    await eventually(async () => {
      const statistics = await hooks.get(`/webhook-endpoints/${endpoint.id}/statistics`, merchant);
      expect(statistics.body).toMatchObject({ pending: 70, pausedUntil: expect.any(String) });
    });

    down = false;
    await eventually(async () => {
      await hooks.passTime(endpoint.id, 7_200);
      expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 70 });
    }, STEP_MS);
    expect([...accepted].sort()).toEqual([...before, ...during].sort());
    expect((await hooks.get(`/webhook-endpoints/${endpoint.id}`, merchant)).body['failingSince']).toBeNull();
  });

  it('of five days disables the endpoint, says so, and what it missed is recovered', async () => {
    const receiver = await receiverWith(answer(500));
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url);
    const since = new Date().toISOString();
    const [told] = await hooks.payment(merchant.merchantId);
    await eventually(async () => {
      expect(await hooks.delivery(endpoint.id, told!.eventId)).toMatchObject({ tries: 1 });
    });
    await hooks.passTime(endpoint.id, 5 * 86_400 + 60);
    await eventually(async () => {
      const { body } = await hooks.get(`/webhook-endpoints/${endpoint.id}`, merchant);
      expect(body).toMatchObject({ status: 'DISABLED', disabledReason: 'failing' });
    });
    const { id, status } = await hooks.delivery(endpoint.id, told!.eventId);
    // Owed, and shown as owed.
    expect(status).toBe('PENDING');
    expect((await hooks.outbox(id)).map(({ type, payload }) => [type, payload['endpointDisabled']])).toEqual([
      ['notification.failed.v1', true],
    ]);
    const [missed] = await hooks.payment(merchant.merchantId);
    await eventually(async () => {
      expect((await hooks.get(`/events/${missed?.eventId}`, merchant)).status).toBe(200);
    });
    const recover = `/webhook-endpoints/${endpoint.id}/recover`;
    expect((await hooks.post(recover, { as: merchant, body: { since } })).body['code']).toBe(
      'webhook_endpoint_disabled',
    );

    receiver.behave(answer(200));
    const enabled = await hooks.ask('PATCH', `/webhook-endpoints/${endpoint.id}`, {
      as: merchant,
      body: { status: 'ENABLED' },
    });
    expect(enabled.body).toMatchObject({ status: 'ENABLED', disabledReason: null, failingSince: null });
    await hooks.passTime(endpoint.id, 600);
    const recovered = await hooks.post(recover, { as: merchant, body: { since } });
    expect([recovered.status, recovered.body]).toEqual([202, { queued: 1, complete: true }]);
    await eventually(async () => {
      expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 2 });
    });
    // All is there: a second time there is nothing to recover.
    expect((await hooks.post(recover, { as: merchant, body: { since }, key: newId('req') })).body['queued']).toBe(0);
    expect(receiver.received.filter(({ id: webhookId }) => webhookId === missed?.eventId)).toHaveLength(1);
  });

  it('longer than the schedule ends in FAILED, is told, and is sent once more by request', async () => {
    const receiver = await receiverWith(answer(500));
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url);
    const [told] = await hooks.payment(merchant.merchantId);
    for (let tries = 1; tries <= 11; tries += 1) {
      await eventually(async () => {
        expect(await hooks.delivery(endpoint.id, told!.eventId)).toMatchObject({ status: 'PENDING', tries });
      });
      // Something else is accepted now and then, so that the endpoint is not given up.
      await hooks.database.execute(
        'UPDATE webhook_endpoints SET failing_since = NULL, consecutive_failures = 0, paused_until = NULL WHERE endpoint_id = $1',
        [endpoint.id],
      );
      await hooks.passTime(endpoint.id, 2 * 86_400);
    }
    const { id } = await eventually(async () => {
      const delivery = await hooks.delivery(endpoint.id, told!.eventId);
      expect(delivery).toMatchObject({ status: 'FAILED', tries: 12 });
      return delivery;
    });
    expect((await hooks.outbox(id)).map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ eventId: told?.eventId, tries: 12, endpointDisabled: false, reason: 'status 500' }),
    ]);
    receiver.behave(answer(200));
    const again = await hooks.post(`/webhook-endpoints/${endpoint.id}/deliveries/${id}/redeliver`, { as: merchant });
    expect([again.status, again.body['status']]).toEqual([202, 'PENDING']);
    await eventually(async () => {
      expect(await hooks.delivery(endpoint.id, told!.eventId)).toMatchObject({ status: 'DELIVERED', tries: 13 });
    });
    expect(new Set(receiver.received.map(({ id: webhookId }) => webhookId))).toEqual(new Set([told?.eventId]));
  });
});

describe('order', () => {
  it('is kept where it was asked for: the next event of a payment waits, and other payments do not', async () => {
    let refusing = true;
    const receiver = await receiverWith((response, { body }) => {
      const isFirst = (JSON.parse(body) as { sequence: number }).sequence === 1;
      response.writeHead(refusing && isFirst && body.includes('"held"') ? 500 : 200).end();
    });
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url, { ordered: true });
    const paymentId = newId('pay');
    const [definition, merchantId, , payload] = hooks.eventOf('created', merchant.merchantId, paymentId);
    const first = hooks.envelope(definition, merchantId, paymentId, { ...payload, metadata: { held: 'yes' } });
    const second = hooks.envelope(...hooks.eventOf('stuck', merchant.merchantId, paymentId));
    await hooks.take([first, second]);
    const other = await hooks.payment(merchant.merchantId, ['created', 'stuck']);
    await eventually(async () => {
      expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 2, PENDING: 2 });
    });
    expect(receiver.received.map(({ id }) => id)).not.toContain(second.eventId);
    expect(receiver.received.filter(({ id }) => id !== first.eventId).map(({ id }) => id)).toEqual(
      other.map(({ eventId }) => eventId),
    );
    refusing = false;
    await hooks.passTime(endpoint.id, 600);
    await eventually(async () => {
      expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 4 });
    });
    const ofPayment = receiver.received
      .map(({ id }) => id)
      .filter((id) => [first.eventId, second.eventId].includes(id));
    expect(ofPayment).toEqual([first.eventId, first.eventId, second.eventId]);
  });
});

describe('an address that is not public', () => {
  let strict: WebhooksUnderTest;
  let listener: Server;
  let connections = 0;
  let port = 0;

  beforeAll(async () => {
    strict = await WebhooksUnderTest.start({ environment: { DEMO_MODE: 'false', WEBHOOK_TIMEOUT_MS: '20000' } });
    listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    listener.listen(0, '0.0.0.0');
    await once(listener, 'listening');
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    ({ port } = address);
  });
  afterAll(async () => {
    listener.close();
    await strict.stop();
  });

  it('is never connected to when a name that was public leads there a moment later', async () => {
    let address = '8.8.8.8';
    const names = await NameServer.open(() => [address]);
    strict.app.get(ReceiverAddresses).resolver.setServers([names.address]);
    const merchant = strict.merchant();
    const made = await strict.endpoint(merchant, `https://rebinding.example:${port}/`);
    for (const elsewhere of ['127.0.0.1', '::1', '10.0.0.1', '64:ff9b::7f00:1']) {
      address = elsewhere;
      const sent = await strict.post(`/webhook-endpoints/${made.id}/test`, { as: merchant, key: newId('req') });
      await eventually(async () => {
        const { body } = await strict.get(`/webhook-endpoints/${made.id}/deliveries/${sent.body['id']}`, merchant);
        expect(body['tries'][0]).toMatchObject({ statusCode: null, error: 'address_forbidden' });
      });
    }
    expect(new Set(names.asked)).toEqual(new Set(['rebinding.example']));
    expect(connections).toBe(0);
    await names.close();
  });

  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0.0.0.0',
    'localhost',
    'localhost.',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ];

  it.each(hosts)('is refused when it is given: %s', async (host) => {
    const { status, body } = await strict.post('/webhook-endpoints', {
      as: strict.merchant(),
      body: { url: `https://${host}:${port}/`, eventTypes: ['*'] },
    });
    expect([status, body['code'], body['errors']?.[0]?.pointer]).toEqual([422, 'webhook_url_forbidden', '/url']);
  });

  it.each([
    ['another scheme', 'http://example.com/'],
    ['a file', 'file:///etc/passwd'],
    ['credentials', 'https://user:pass@example.com/'],
    ['a fragment', 'https://example.com/#x'],
    ['the port of a mail server', 'https://8.8.8.8:25/'],
    ['no URL at all', 'not a url'],
    ['a script', 'javascript:alert(1)'],
  ])('neither is %s: %s', async (_what, url) => {
    const { status, body } = await strict.post('/webhook-endpoints', {
      as: strict.merchant(),
      body: { url, eventTypes: ['*'] },
    });
    expect([status, body['code']]).toEqual([422, 'webhook_url_forbidden']);
  });

  it('is never connected to, also when a name or an endpoint of before leads there', async () => {
    const merchant = strict.merchant();
    // As many as a merchant may have; the name with a dot at its end is known to some resolvers only.
    const reached = hosts.filter((host) => host !== 'localhost.').slice(0, 20);
    const made = await Promise.all(
      reached.map(async (host) => await strict.endpoint(merchant, 'https://8.8.8.8/', { description: host })),
    );
    for (const [index, { id }] of made.entries()) {
      // As if the name had led elsewhere when the endpoint was made.
      await strict.database.execute('UPDATE webhook_endpoints SET url = $2 WHERE endpoint_id = $1', [
        id,
        `http${index % 2 === 0 ? '' : 's'}://${reached[index]}:${port}/`,
      ]);
      await strict.post(`/webhook-endpoints/${id}/test`, { as: merchant });
    }
    for (const { id } of made) {
      await eventually(async () => {
        const { body } = await strict.get(`/webhook-endpoints/${id}/deliveries`, merchant);
        expect(body['data'][0].tries).toEqual([expect.objectContaining({ error: 'address_forbidden' })]);
      });
    }
    expect(connections).toBe(0);
  });
});

describe('endpoints', () => {
  const create = async (as: Principal, body: unknown, key?: string) =>
    await hooks.post('/webhook-endpoints', { as, body, ...(key === undefined ? {} : { key }) });
  const url = 'http://127.0.0.1:65535/hook';

  it('show their secret once, and a repetition of the request the same one; the database has it sealed', async () => {
    const merchant = hooks.merchant();
    const key = newId('req');
    const first = await create(merchant, { url, eventTypes: ['payment.*'], description: 'Shop' }, key);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      id: expect.stringMatching(/^we_/),
      secret: expect.stringMatching(/^whsec_/),
      publicKeys: [expect.stringMatching(/^whpk_/)],
      status: 'ENABLED',
      merchantId: merchant.merchantId,
      ordered: false,
    });
    const again = await create(merchant, { url, eventTypes: ['payment.*'], description: 'Shop' }, key);
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotent-replayed']).toBe('true');
    const { secret, ...shown } = first.body;
    const read = await hooks.get(`/webhook-endpoints/${first.body['id']}`, merchant);
    expect(read.body).toEqual(shown);
    const raw = Buffer.from(String(secret).slice('whsec_'.length), 'base64');
    const [kept] = await hooks.database.query<{ text: string; sealed: Buffer }>(
      `SELECT (SELECT string_agg(body, ' ') FROM idempotency_keys) AS text,
              (SELECT sealed FROM webhook_secrets WHERE endpoint_id = $1) AS sealed`,
      [first.body['id']],
    );
    expect(kept?.text).not.toContain(String(secret).slice('whsec_'.length));
    expect(kept?.sealed.includes(raw) || kept?.sealed.includes(raw.toString('base64'))).toBe(false);
  });

  it('are of their merchant alone', async () => {
    const [merchant, stranger] = [hooks.merchant(), hooks.merchant()];
    const { id } = await hooks.endpoint(merchant, url);
    const sent = await hooks.post(`/webhook-endpoints/${id}/test`, { as: merchant });
    for (const [method, path, body] of [
      ['GET', `/webhook-endpoints/${id}`, undefined],
      ['PATCH', `/webhook-endpoints/${id}`, { status: 'DISABLED' }],
      ['DELETE', `/webhook-endpoints/${id}`, undefined],
      ['POST', `/webhook-endpoints/${id}/rotate-secret`, {}],
      ['POST', `/webhook-endpoints/${id}/test`, undefined],
      ['POST', `/webhook-endpoints/${id}/recover`, { since: '2026-01-01T00:00:00.000Z' }],
      ['GET', `/webhook-endpoints/${id}/deliveries`, undefined],
      ['GET', `/webhook-endpoints/${id}/deliveries/${sent.body['id']}`, undefined],
      ['POST', `/webhook-endpoints/${id}/deliveries/${sent.body['id']}/redeliver`, undefined],
      ['GET', `/webhook-endpoints/${id}/statistics`, undefined],
    ] as const) {
      const answered = await hooks.ask(method, path, { as: stranger, body });
      expect([path, answered.status, answered.body['code']]).toEqual([path, 404, 'webhook_endpoint_not_found']);
    }
    expect((await hooks.get('/webhook-endpoints', stranger)).body['data']).toEqual([]);
    expect((await hooks.get('/webhook-endpoints', merchant)).body['data']).toHaveLength(1);
    const named = await create(stranger, { url, eventTypes: ['*'], merchantId: merchant.merchantId });
    expect([named.status, named.body['code']]).toEqual([403, 'insufficient_scope']);
  });

  it.each([
    ['no types', { url, eventTypes: [] }],
    ['a type that is none', { url, eventTypes: ['payment.exploded'] }],
    ['a group that is none', { url, eventTypes: ['user.*'] }],
    ['what services tell each other', { url, eventTypes: ['settlement.lines'] }],
    ['no address', { eventTypes: ['*'] }],
    ['an address without end', { url: `https://example.com/${'x'.repeat(3_000)}`, eventTypes: ['*'] }],
    ['a field nobody knows', { url, eventTypes: ['*'], secret: 'mine' }],
  ])('are refused with %s', async (_what, body) => {
    const answered = await create(hooks.merchant(), body);
    expect([answered.status, answered.body['code']]).toEqual([400, 'validation_failed']);
  });

  it('are twenty for a merchant, also when they are made at once', async () => {
    const merchant = hooks.merchant();
    const made = await Promise.all(Array.from({ length: 24 }, () => create(merchant, { url, eventTypes: ['*'] })));
    expect(made.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(made.filter(({ body }) => body['code'] === 'webhook_endpoints_exceeded')).toHaveLength(4);
  });

  it('are changed by whoever has read their version', async () => {
    const merchant = hooks.merchant();
    const { id } = await hooks.endpoint(merchant, url);
    const read = await hooks.get(`/webhook-endpoints/${id}`, merchant);
    const change = async (body: unknown) =>
      await hooks.ask('PATCH', `/webhook-endpoints/${id}`, {
        as: merchant,
        body,
        headers: { 'if-match': String(read.headers['etag']) },
      });
    expect((await change({ eventTypes: ['payout.*'], description: null })).body).toMatchObject({
      eventTypes: ['payout.*'],
      description: null,
    });
    expect((await change({ ordered: true })).status).toBe(412);
  });

  it('that are deleted are owed nothing, and their secrets are gone', async () => {
    const merchant = hooks.merchant();
    const { id } = await hooks.endpoint(merchant, url);
    expect((await hooks.ask('DELETE', `/webhook-endpoints/${id}`, { as: merchant })).status).toBe(204);
    expect((await hooks.get(`/webhook-endpoints/${id}`, merchant)).status).toBe(404);
    expect(await hooks.database.query('SELECT FROM webhook_secrets WHERE endpoint_id = $1', [id])).toEqual([]);
  });

  it('sign with both secrets while one is rotated, and with the new one alone afterwards', async () => {
    const receiver = await receiverWith();
    const merchant = hooks.merchant();
    const endpoint = await hooks.endpoint(merchant, receiver.url);
    const rotated = await hooks.post(`/webhook-endpoints/${endpoint.id}/rotate-secret`, {
      as: merchant,
      body: { overlapSeconds: 3_600 },
    });
    expect(rotated.status).toBe(200);
    const signedBy = async (): Promise<readonly boolean[]> => {
      const seen = receiver.received.length;
      await hooks.post(`/webhook-endpoints/${endpoint.id}/test`, { as: merchant, key: newId('req') });
      const received = await eventually(() => {
        expect(receiver.received).toHaveLength(seen + 1);
        return receiver.received.at(-1)!;
      });
      return [
        verifiesV1(received, endpoint.secret),
        verifiesV1a(received, endpoint.publicKeys[0]!),
        verifiesV1(received, rotated.body['secret']),
        verifiesV1a(received, rotated.body['publicKey']),
      ];
    };
    expect(await signedBy()).toEqual([true, true, true, true]);
    await hooks.database.execute(
      `UPDATE webhook_secrets SET expires_at = now() WHERE endpoint_id = $1 AND expires_at IS NOT NULL`,
      [endpoint.id],
    );
    expect(await signedBy()).toEqual([false, false, true, true]);
  });

  it('have at most five secrets that sign: a sixth waits, or ends the former ones at once', async () => {
    const merchant = hooks.merchant();
    const { id } = await hooks.endpoint(merchant, url);
    const rotate = async (body: unknown) =>
      await hooks.post(`/webhook-endpoints/${id}/rotate-secret`, { as: merchant, body, key: newId('req') });
    const signing = async (): Promise<unknown> =>
      (await hooks.get(`/webhook-endpoints/${id}`, merchant)).body['publicKeys']?.length as unknown;
    for (let rotated = 1; rotated <= 4; rotated += 1) expect((await rotate({})).status).toBe(200);
    const refused = await rotate({});
    expect([refused.status, refused.body['code'], await signing()]).toEqual([409, 'webhook_secrets_exceeded', 5]);
    expect((await rotate({ overlapSeconds: 0 })).status).toBe(200);
    expect(await signing()).toBe(1);
    expect((await rotate({})).status).toBe(200);
    // Those that have ended are not kept.
    expect(await hooks.database.query('SELECT FROM webhook_secrets WHERE endpoint_id = $1', [id])).toHaveLength(2);
  });

  it('whose secret does not open wait with that reason, and nobody else does', async () => {
    const [receiver, others] = [await receiverWith(), await receiverWith()];
    const merchant = hooks.merchant();
    const broken = await hooks.endpoint(merchant, receiver.url);
    const whole = await hooks.endpoint(merchant, others.url);
    await hooks.database.execute(
      `UPDATE webhook_secrets SET sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1)
        WHERE endpoint_id = $1`,
      [broken.id],
    );
    await hooks.payments(merchant.merchantId, 3);
    await eventually(async () => {
      expect(await hooks.standings(whole.id)).toEqual({ DELIVERED: 3 });
      const { body } = await hooks.get(`/webhook-endpoints/${broken.id}/deliveries`, merchant);
      for (const { status, tries } of body['data'])
        expect([status, tries[0]]).toEqual([
          'PENDING',
          expect.objectContaining({ statusCode: null, error: 'secret_unreadable' }),
        ]);
    });
    expect(receiver.connections).toBe(0);
    const rotated = await hooks.post(`/webhook-endpoints/${broken.id}/rotate-secret`, { as: merchant, body: {} });
    await eventually(async () => {
      await hooks.passTime(broken.id, 60);
      expect(await hooks.standings(broken.id)).toEqual({ DELIVERED: 3 });
    });
    for (const received of receiver.received) expect(verifiesV1(received, rotated.body['secret'])).toBe(true);
  });

  it('are not asked to recover what is kept no longer', async () => {
    const merchant = hooks.merchant();
    const { id } = await hooks.endpoint(merchant, url);
    const recover = async (days: number) =>
      await hooks.post(`/webhook-endpoints/${id}/recover`, {
        as: merchant,
        body: { since: new Date(Date.now() - days * 86_400_000).toISOString() },
        key: newId('req'),
      });
    const refused = await recover(31);
    expect([refused.status, refused.body['code'], refused.body['errors']?.[0]?.pointer]).toEqual([
      422,
      'webhook_recovery_too_old',
      '/since',
    ]);
    expect((await recover(29)).body).toEqual({ queued: 0, complete: true });
  });

  it('that were deleted are forgotten as late as events are, when nothing is left that was sent to them', async () => {
    const merchant = hooks.merchant();
    const [fresh, old, sent] = [
      await hooks.endpoint(merchant, url),
      await hooks.endpoint(merchant, url),
      await hooks.endpoint(merchant, url),
    ];
    await hooks.post(`/webhook-endpoints/${sent.id}/test`, { as: merchant });
    for (const { id } of [fresh, old, sent]) await hooks.ask('DELETE', `/webhook-endpoints/${id}`, { as: merchant });
    await hooks.database.execute(
      `UPDATE webhook_endpoints SET updated_at = now() - interval '31 days' WHERE endpoint_id = ANY ($1::text[])`,
      [[old.id, sent.id]],
    );
    await hooks.app.get(ForgetOldEvents).step();
    const kept = await hooks.database.query<{ id: string }>(
      'SELECT endpoint_id AS id FROM webhook_endpoints WHERE merchant_id = $1 ORDER BY endpoint_id',
      [merchant.merchantId],
    );
    expect(kept.map(({ id }) => id)).toEqual([fresh.id, sent.id].toSorted());
  });
});

describe('the feed', () => {
  it('is read on from a cursor, by type, and since a time', async () => {
    const merchant = hooks.merchant();
    const first = await hooks.payment(merchant.merchantId, ['created', 'stuck']);
    await eventually(async () => {
      expect((await hooks.get('/events', merchant)).body['data']).toHaveLength(2);
    });
    const since = new Date().toISOString();
    const next = await hooks.payment(merchant.merchantId, ['created', 'stuck']);
    const all = [...first, ...next].map(({ eventId }) => eventId);
    const ids = ({ body }: { readonly body: Record<string, unknown> }): readonly string[] =>
      (body['data'] as readonly { readonly id: string }[]).map(({ id }) => id);
    await eventually(async () => {
      expect(ids(await hooks.get('/events', merchant))).toEqual(all);
    });
    const page = await hooks.get('/events?limit=3', merchant);
    expect([ids(page), page.body['hasMore']]).toEqual([all.slice(0, 3), true]);
    const rest = await hooks.get(`/events?limit=3&cursor=${page.body['nextCursor']}`, merchant);
    expect([ids(rest), rest.body['hasMore']]).toEqual([all.slice(3), false]);
    const end = await hooks.get(`/events?cursor=${rest.body['nextCursor']}`, merchant);
    expect([ids(end), end.body['nextCursor']]).toEqual([[], rest.body['nextCursor']]);
    expect(ids(await hooks.get('/events?type=payment.stuck', merchant))).toEqual([all[1], all[3]]);
    expect(ids(await hooks.get(`/events?since=${since}`, merchant))).toEqual(all.slice(2));
    const stranger = hooks.merchant();
    expect(ids(await hooks.get('/events', stranger))).toEqual([]);
    expect((await hooks.get(`/events/${all[0]}`, stranger)).status).toBe(404);
    expect((await hooks.get('/events?cursor=x', merchant)).status).toBe(400);
    expect((await hooks.get('/events?type=user.blocked', merchant)).status).toBe(400);
  });
});
