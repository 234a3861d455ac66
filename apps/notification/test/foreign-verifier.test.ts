import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';

import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';

import { type Received, Receiver } from './receiver.js';
import { type Endpoint, PATIENT, WebhooksUnderTest } from './webhooks-under-test.js';

/** Time is moved on as often: seldom enough that no endpoint fails for five days while a busy machine does nothing. */
const STEPS = { ...PATIENT, intervalMs: 250 };

let hooks: WebhooksUnderTest;

beforeAll(async () => {
  hooks = await WebhooksUnderTest.start({ environment: { WEBHOOK_TIMEOUT_MS: '60000' } });
});
afterAll(async () => {
  await hooks.stop();
});

const signaturesOf = ({ headers }: Received, version: string): readonly string[] =>
  (headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((signature) => signature.startsWith(`${version},`))
    .map((signature) => signature.slice(version.length + 1));

const signedContent = ({ headers, body }: Received): string =>
  `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;

/** As the library of Standard Webhooks sees it, which looks at the time too. */
const isGenuineByLibrary = ({ headers, body }: Received, secret: string): boolean => {
  try {
    new Webhook(secret).verify(body, { ...headers });
    return true;
  } catch {
    return false;
  }
};

/** As the text of the specification has it, by nothing but HMAC-SHA256. */
const isGenuineByHmac = (received: Received, secret: string): boolean => {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(signedContent(received)).digest('base64');
  return signaturesOf(received, 'v1').includes(expected);
};

/** With the public key alone. */
const isGenuineByKey = (received: Received, publicKey: string): boolean => {
  const x = Buffer.from(publicKey.replace(/^whpk_/, ''), 'base64').toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const content = Buffer.from(signedContent(received));
  return signaturesOf(received, 'v1a').some((one) => verify(null, content, key, Buffer.from(one, 'base64')));
};

type Verifier = (received: Received, endpoint: Endpoint) => boolean;

/** A merchant's server: what is not genuine is refused, and what it knows already changes nothing. */
class Shop {
  readonly kept = new Map<string, string>();
  isDown = false;
  refused = 0;

  private constructor(
    readonly receiver: Receiver,
    readonly endpoint: Endpoint,
    private readonly isGenuine: Verifier,
  ) {
    receiver.behave((response, received) => {
      response.writeHead(this.statusFor(received)).end();
    });
  }

  static async open(merchant: Principal, isGenuine: Verifier): Promise<Shop> {
    const receiver = await Receiver.open();
    return new Shop(receiver, await hooks.endpoint(merchant, receiver.url), isGenuine);
  }

  /** What somebody posts who knows the address. @returns the status of the answer */
  async post(headers: Readonly<Record<string, string>>, body: string): Promise<number> {
    return (await fetch(this.receiver.url, { method: 'POST', headers, body })).status;
  }

  private statusFor(received: Received): number {
    if (this.isDown) return 503;
    if (!this.isGenuine(received, this.endpoint)) {
      this.refused += 1;
      return 401;
    }
    this.kept.set(received.id, received.body);
    return 200;
  }
}

const headersOf = (id: string, at: Date, signature: string): Readonly<Record<string, string>> => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
  'webhook-signature': signature,
});

const signedBy = (secret: string, body: string, at = new Date()): Readonly<Record<string, string>> => {
  const id = newId('evt');
  return headersOf(id, at, new Webhook(secret).sign(id, at, body));
};

const signedByKey = (key: KeyObject, body: string): Readonly<Record<string, string>> => {
  const [id, at] = [newId('evt'), new Date()];
  const content = Buffer.from(`${id}.${Math.floor(at.getTime() / 1_000)}.${body}`);
  return headersOf(id, at, `v1a,${sign(null, content, key).toString('base64')}`);
};

/** What is made of a genuine webhook without its secret: none of it may be accepted. */
const altered = (genuine: Received): readonly (readonly [string, Readonly<Record<string, string>>, string])[] => {
  const { headers, body } = genuine;
  const { 'webhook-id': id = '', 'webhook-timestamp': time = '', 'webhook-signature': signature = '' } = headers;
  const taken = { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature };
  return [
    ['another body', taken, body.replace('mer_', 'mer_0')],
    ['another id', { ...taken, 'webhook-id': newId('evt') }, body],
    ['another time', { ...taken, 'webhook-timestamp': String(Number(time) + 1) }, body],
    ['no signature', { ...taken, 'webhook-signature': '' }, body],
    ['no version', { ...taken, 'webhook-signature': signature.replaceAll(/v1a?,/g, '') }, body],
  ];
};

it("receivers with other people's verifiers get every event they are owed after an hour's outage, and none that is forged", async () => {
  const merchant = hooks.merchant();
  const withSecret = await Shop.open(merchant, (received, { secret }) => isGenuineByLibrary(received, secret));
  const withKey = await Shop.open(merchant, (received, { publicKeys }) => isGenuineByKey(received, publicKeys[0]!));
  const shops = [withSecret, withKey];
  try {
    const owed = [...(await hooks.payments(merchant.merchantId, 20))];
    for (const { endpoint } of shops)
      await eventually(async () => {
        expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 20 });
      }, PATIENT);

    // An hour goes by in which they are down, more happens, and secrets are rotated: the shops have the former ones still.
    for (const shop of shops) shop.isDown = true;
    for (let minutes = 0; minutes < 60; minutes += 20) {
      for (const { eventId } of await hooks.payment(merchant.merchantId, ['created', 'stuck'])) owed.push(eventId);
      owed.push(...(await hooks.payments(merchant.merchantId, 8)));
      for (const { endpoint, receiver } of shops) {
        const seen = receiver.received.length;
        await eventually(async () => {
          await hooks.passTime(endpoint.id, 20 * 60);
          expect(receiver.received.length).toBeGreaterThan(seen);
        }, STEPS);
      }
    }
    for (const { endpoint, kept } of shops) {
      const rotated = await hooks.post(`/webhook-endpoints/${endpoint.id}/rotate-secret`, { as: merchant, body: {} });
      expect(rotated.status).toBe(200);
      expect(kept.size).toBe(20);
      expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 20, PENDING: 30 });
    }

    for (const shop of shops) shop.isDown = false;
    const feed = await hooks.get('/events?limit=100', merchant);
    for (const shop of shops) {
      const { endpoint, kept, receiver } = shop;
      await eventually(async () => {
        await hooks.passTime(endpoint.id, 60 * 60);
        expect(await hooks.standings(endpoint.id)).toEqual({ DELIVERED: 50 });
      }, STEPS);
      expect([...kept.keys()].toSorted()).toEqual(owed.toSorted());
      expect(shop.refused).toBe(0);
      expect(receiver.received.every((received) => isGenuineByHmac(received, endpoint.secret))).toBe(true);
      // The bytes are those of the feed.
      for (const body of kept.values()) expect(feed.text).toContain(body);
    }

    const { body } = withSecret.receiver.received.at(-1)!;
    const tenMinutesAgo = new Date(Date.now() - 10 * 60_000);
    // That it is accepted when nothing is wrong with it shows that the rest is refused for what is.
    expect(await withSecret.post(signedBy(withSecret.endpoint.secret, body), body)).toBe(200);
    const forged = [
      ...altered(withSecret.receiver.received.at(-1)!).map((one) => [withSecret, ...one] as const),
      [withSecret, 'an old time', signedBy(withSecret.endpoint.secret, body, tenMinutesAgo), body],
      [withSecret, 'another secret', signedBy(`whsec_${randomBytes(32).toString('base64')}`, body), body],
      [withSecret, "another endpoint's secret", signedBy(withKey.endpoint.secret, body), body],
      ...altered(withKey.receiver.received.at(-1)!).map((one) => [withKey, ...one] as const),
      [withKey, 'another key', signedByKey(generateKeyPairSync('ed25519').privateKey, body), body],
      [withKey, 'a secret', signedBy(withKey.endpoint.secret, body), body],
    ] as const;
    for (const [shop, what, headers, text] of forged)
      expect([what, await shop.post(headers, text)]).toEqual([what, 401]);
    expect([withSecret.kept.size, withKey.kept.size]).toEqual([51, 50]);
  } finally {
    for (const { receiver } of shops) await receiver.close();
  }
}, 600_000);
