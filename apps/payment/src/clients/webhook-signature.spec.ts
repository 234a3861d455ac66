import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';

import { signatureOf } from './webhook-signature.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOON = new Date('2026-02-07T12:00:00.000Z');
const body = Buffer.from('{"type":"operation.updated"}');

const signed = (secondsAgo = 0, secret = SECRET, content: Buffer = body) => {
  const at = new Date(NOON.getTime() - secondsAgo * 1_000);
  return {
    body,
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(at.getTime() / 1_000),
      'webhook-signature': new Webhook(secret).sign('msg_1', at, content),
    },
  };
};

describe('a webhook of an acquirer', () => {
  it.each([
    ['just now', 0],
    ['a day ago', 86_400],
    ['by a clock that is a little ahead', -200],
  ])('is authentic when it was signed with the secret %s', (_when, secondsAgo) => {
    expect(signatureOf(signed(secondsAgo), SECRET, NOON)).toEqual({ authentic: true, webhookId: 'msg_1' });
  });

  it('is authentic with one good signature among several, while a secret is rolled', () => {
    const request = signed();
    const headers = { ...request.headers, 'webhook-signature': `v1,AAAA ${request.headers['webhook-signature']}` };
    expect(signatureOf({ ...request, headers }, SECRET, NOON)).toMatchObject({ authentic: true });
  });

  it.each([
    ['another secret', signed(0, `whsec_${Buffer.alloc(32, 8).toString('base64')}`)],
    ['other content', signed(0, SECRET, Buffer.from('{}'))],
    ['last week', signed(8 * 86_400)],
    ['tomorrow', signed(-86_400)],
    ['no headers', { body, headers: {} }],
    ['no signature', { ...signed(), headers: { ...signed().headers, 'webhook-signature': '' } }],
    ['a time that is none', { ...signed(), headers: { ...signed().headers, 'webhook-timestamp': '1e9' } }],
  ])('is not authentic with %s', (_what, request) => {
    expect(signatureOf(request, SECRET, NOON)).toMatchObject({ authentic: false });
  });
});
