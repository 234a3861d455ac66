import { describe, expect, it } from '@jest/globals';

import { clientAddressOf } from './client-address.js';

const from = (remoteAddress: string, forwarded?: string) => ({
  socket: { remoteAddress },
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
});

describe('the address of a client', () => {
  it.each([
    ['is the peer when nobody is trusted', from('203.0.113.1', '10.0.0.1'), [], '203.0.113.1'],
    ['is the peer when the peer is not trusted', from('203.0.113.1', '10.0.0.1'), ['10.0.0.1'], '203.0.113.1'],
    ['is what a trusted proxy says', from('10.0.0.1', '203.0.113.1'), ['10.0.0.1'], '203.0.113.1'],
    [
      'is the last untrusted of a chain',
      from('10.0.0.1', '6.6.6.6, 203.0.113.1, 10.0.0.2'),
      ['10.0.0.1', '10.0.0.2'],
      '203.0.113.1',
    ],
    ['is the proxy when it says nothing', from('10.0.0.1'), ['10.0.0.1'], '10.0.0.1'],
    ['is IPv4 on an IPv6 socket', from('::ffff:127.0.0.1', '203.0.113.1'), ['127.0.0.1'], '203.0.113.1'],
  ])('%s', (_, request, trusted, expected) => {
    expect(clientAddressOf(request, trusted)).toBe(expected);
  });
});
