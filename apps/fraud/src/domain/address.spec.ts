import { BlockList, isIPv4, isIPv6 } from 'node:net';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { contains, holderOf, networkOf, textOfNetwork } from './address.js';

const parsed = (text: string) => {
  const network = networkOf(text);
  if (network === undefined) throw new Error(`${text} is no network`);
  return network;
};

describe('addresses and networks', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['192.0.2.77/24', '192.0.2.0/24'],
    ['10.0.0.0/32', '10.0.0.0'],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1'],
    ['2001:db8:1:2:3:4:5:6/32', '2001:db8:0:0:0:0:0:0/32'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['1::', '1:0:0:0:0:0:0:0'],
  ])('%s is written %s', (text, written) => {
    expect(textOfNetwork(parsed(text))).toBe(written);
  });

  it.each([
    '',
    'localhost',
    '256.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/8/8',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    'fe80::1%eth0',
    '12345::',
    '::1/129',
  ])('%j is neither', (text) => {
    expect(networkOf(text)).toBeUndefined();
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:0:0:0:0/64'],
    ['2001:db8:1:2::', '2001:db8:1:2:0:0:0:0/64'],
    ['2001:db8:1:3::6', '2001:db8:1:3:0:0:0:0/64'],
    ['::1', '0:0:0:0:0:0:0:0/64'],
  ])('%s is one of those of %s', (text, holder) => {
    expect(textOfNetwork(holderOf(parsed(text)))).toBe(holder);
  });

  it('agree with Node about what an address is, and keep one text for each', () => {
    const v6 = fc.ipV6().filter((text) => isIPv6(text));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), v6), (text) => {
        const network = parsed(text);
        const written = textOfNetwork(network);
        expect(network.version === 4 ? isIPv4(written) : isIPv6(written)).toBe(true);
        expect(networkOf(written)).toEqual(network);
      }),
    );
  });

  it('agree with Node about what is in a network', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (network, address, prefix) => {
        const list = new BlockList();
        list.addSubnet(network, prefix);
        expect(contains(parsed(`${network}/${String(prefix)}`), parsed(address))).toBe(list.check(address));
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), fc.integer({ min: 0, max: 128 }), (network, address, prefix) => {
        const [one, other] = [parsed(network), parsed(address)];
        if (one.version === 4 || other.version === 4) return;
        const list = new BlockList();
        list.addSubnet(network, prefix, 'ipv6');
        expect(contains(parsed(`${network}/${String(prefix)}`), other)).toBe(list.check(address, 'ipv6'));
      }),
    );
  });
});
