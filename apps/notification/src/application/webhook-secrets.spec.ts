import { createPrivateKey, createPublicKey, verify } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';

import { Signer } from './webhook-secrets.js';

/** The example that the libraries of Standard Webhooks test themselves with. */
const EXAMPLE = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  at: new Date(1_614_265_330_000),
  body: '{"test": 2432232314}',
  v1: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
/** RFC 8032 §7.1, TEST 1. */
const ED25519 = {
  d: Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex').toString('base64url'),
  x: Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString('base64url'),
};
const jwk = { kty: 'OKP', crv: 'Ed25519', ...ED25519 };
const keysOf = (secret: string) => ({
  hmac: new Webhook(secret),
  ed25519: createPrivateKey({ format: 'jwk', key: jwk }),
});

describe('the headers of a webhook', () => {
  it('are those of the specification', () => {
    const headers = new Signer([keysOf(EXAMPLE.secret)]).headers(EXAMPLE.id, EXAMPLE.body, EXAMPLE.at);
    const [v1 = '', v1a = ''] = (headers['webhook-signature'] ?? '').split(' ');
    expect(headers).toMatchObject({ 'webhook-id': EXAMPLE.id, 'webhook-timestamp': '1614265330' });
    expect(v1).toBe(EXAMPLE.v1);
    const content = Buffer.from(`${EXAMPLE.id}.1614265330.${EXAMPLE.body}`);
    const signature = Buffer.from(v1a.slice('v1a,'.length), 'base64');
    expect(v1a.startsWith('v1a,')).toBe(true);
    expect(verify(null, content, createPublicKey({ format: 'jwk', key: jwk }), signature)).toBe(true);
  });

  it('carry the signatures of every secret', () => {
    const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    const { 'webhook-signature': signatures = '' } = new Signer([keysOf(other), keysOf(EXAMPLE.secret)]).headers(
      EXAMPLE.id,
      EXAMPLE.body,
      EXAMPLE.at,
    );
    expect(signatures.split(' ')).toHaveLength(4);
    expect(signatures.split(' ')).toContain(EXAMPLE.v1);
  });
});
