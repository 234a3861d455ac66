import { describe, expect, it } from '@jest/globals';

import { clientAddressOf, clientCountryOf } from './client-address.js';

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

describe('the country of a client', () => {
  const HEADER = 'cf-ipcountry';
  const telling = (remoteAddress: string, told: string) => ({ socket: { remoteAddress }, headers: { [HEADER]: told } });

  it.each([
    ['is what a trusted proxy says', telling('10.0.0.1', 'DE'), HEADER, 'DE'],
    ['is what a trusted proxy says on an IPv6 socket', telling('::ffff:10.0.0.1', 'DE'), HEADER, 'DE'],
    ['is not what the client says himself', telling('203.0.113.1', 'DE'), HEADER, undefined],
    ['is nothing where no header was agreed on', telling('10.0.0.1', 'DE'), undefined, undefined],
    ['is nothing in another header', telling('10.0.0.1', 'DE'), 'x-country', undefined],
    ['is unknown as XX', telling('10.0.0.1', 'XX'), HEADER, undefined],
    ['is not the Tor network', telling('10.0.0.1', 'T1'), HEADER, undefined],
    ['is not two of them', telling('10.0.0.1', 'DE, FR'), HEADER, undefined],
    ['is not nothing', telling('10.0.0.1', ''), HEADER, undefined],
  ])('%s', (_, request, header, expected) => {
    expect(clientCountryOf(request, header, ['10.0.0.1'])).toBe(expected);
  });
});
