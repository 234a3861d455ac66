import { describe, expect, it } from '@jest/globals';

import { answerHeaders, requestHeaders } from './headers.js';

const request = {
  requestId: 'req_1',
  clientAddress: '203.0.113.9',
  clientCountry: undefined,
  protocol: 'http',
  hasBody: true,
  added: {},
};

describe('the headers a service gets', () => {
  it('are what the client sent, but for what only we may say', () => {
    const sent = requestHeaders(
      {
        authorization: 'Bearer t',
        'idempotency-key': 'k',
        'content-type': 'application/json',
        'x-forwarded-for': '10.0.0.1',
        'x-forwarded-host': 'evil',
        forwarded: 'for=10.0.0.1',
        'x-payflow-card-fingerprint': 'forged',
        'payflow-merchant': 'forged',
        'x-payflow-client-country': 'DE',
        'x-correlation-id': 'forged',
        'x-request-id': 'theirs',
        cookie: 'a=b',
        te: 'trailers',
        upgrade: 'h2c',
        expect: '100-continue',
        'transfer-encoding': 'chunked',
      },
      request,
    );
    expect(sent).toEqual({
      authorization: 'Bearer t',
      'idempotency-key': 'k',
      'content-type': 'application/json',
      'x-request-id': 'req_1',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'http',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
  });

  it('keep a valid trace context and replace one that is not', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(requestHeaders({ traceparent, tracestate: 'a=1' }, request)).toMatchObject({
      traceparent,
      tracestate: 'a=1',
    });
    for (const wrong of ['00-0-0-00', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'x']) {
      const sent = requestHeaders({ traceparent: wrong, tracestate: 'a=1' }, request);
      expect(sent.traceparent).not.toBe(wrong);
      expect(sent.tracestate).toBeUndefined();
    }
  });

  it('announce no body where none is sent on', () => {
    const sent = requestHeaders(
      { 'content-length': '5', 'content-type': 'text/plain' },
      { ...request, hasBody: false },
    );
    expect(sent).not.toHaveProperty('content-length');
    expect(sent).not.toHaveProperty('content-type');
  });
});

describe('the headers of an answer', () => {
  it('are the service’s, but for what belongs to its connection and what is the gateway’s own', () => {
    expect(
      answerHeaders({
        'content-type': 'application/json',
        etag: '"1"',
        'idempotent-replayed': 'true',
        'retry-after': '2',
        connection: 'close, x-private',
        'x-private': '1',
        'keep-alive': 'timeout=72',
        'transfer-encoding': 'chunked',
        server: 'x',
        'x-request-id': 'req_1',
        'access-control-allow-origin': 'x',
        'ratelimit-policy': 'x',
      }),
    ).toEqual({ 'content-type': 'application/json', etag: '"1"', 'idempotent-replayed': 'true', 'retry-after': '2' });
  });
});
