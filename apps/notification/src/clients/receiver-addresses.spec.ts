import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { NameServer } from '../../test/name-server.js';
import { ReceiverAddresses } from './receiver-addresses.js';

const strict = new ReceiverAddresses({ DEMO_MODE: false });
const demo = new ReceiverAddresses({ DEMO_MODE: true });
const leadingTo =
  (...addresses: readonly string[]) =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
const PUBLIC = leadingTo('8.8.8.8', '2606:4700::1111');

describe('a URL for webhooks', () => {
  it.each([
    'https://shop.example/hook',
    'https://shop.example:443/hook?a=b',
    'https://shop.example:8443/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ])('may be %s', async (url) => {
    expect(await strict.refusalOf(url, PUBLIC)).toBeUndefined();
  });

  it.each([
    ['it is not https', 'http://shop.example/', PUBLIC],
    ['its name leads to a private address', 'https://shop.example/', leadingTo('10.0.0.1')],
    ['one of its addresses is private', 'https://shop.example/', leadingTo('8.8.8.8', '192.168.0.1')],
    ['one of its addresses is an IPv6 one of this machine', 'https://shop.example/', leadingTo('8.8.8.8', '::1')],
    ['its name is this machine', 'https://localhost/', leadingTo('127.0.0.1')],
    ['its name is this machine, whoever says otherwise', 'https://localhost./', PUBLIC],
    ['its name is of a network', 'https://printer/', PUBLIC],
    ['its name is of a network', 'https://metadata.google.internal/', PUBLIC],
    ['its name is of a network', 'https://nas.local/', PUBLIC],
    ['its port is a database', 'https://shop.example:22/', PUBLIC],
    ['it has credentials', 'https://me@shop.example/', PUBLIC],
  ])('is refused when %s: %s', async (_why, url, lookUp) => {
    expect(await strict.refusalOf(url, lookUp)).toEqual(expect.any(String));
  });

  it('may lead to this machine in demo mode, by http too, and to no other private one', async () => {
    expect(await demo.refusalOf('http://localhost:3000/', leadingTo('127.0.0.1', '::1'))).toBeUndefined();
    expect(await demo.refusalOf('http://127.0.0.1:80/')).toBeUndefined();
    expect(await demo.refusalOf('http://shop.example/', PUBLIC)).toEqual(expect.any(String));
    expect(await demo.refusalOf('https://10.0.0.1/')).toEqual(expect.any(String));
    expect(await demo.refusalOf('https://shop.example/', leadingTo('127.0.0.1', '10.0.0.1'))).toEqual(
      expect.any(String),
    );
  });

  it('may have a name that is not known yet: it is looked at when something is sent', async () => {
    const unknown = (): Promise<never> => Promise.reject(new Error('ENOTFOUND'));
    expect(await strict.refusalOf('https://soon.example/', unknown)).toBeUndefined();
  });
});

/** What a socket gets that is to be connected to this name. */
const lookedUp = async (addresses: ReceiverAddresses, name: string, all = true): Promise<unknown> =>
  await new Promise((resolve) => {
    addresses.lookup(name, { all }, (error, address) => {
      resolve(error?.name ?? address);
    });
  });

describe('a connection', () => {
  it('is not made to a name that leads to this machine', async () => {
    expect(await lookedUp(strict, 'localhost')).toBe('AddressForbiddenError');
    expect(await lookedUp(strict, 'shop.localhost.')).toBe('AddressForbiddenError');
    expect(await lookedUp(demo, 'localhost', false)).toBe('127.0.0.1');
  });
});

describe('a name', () => {
  const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
    'private.example': ['10.0.0.1'],
    'metadata.example': ['169.254.169.254'],
    'loopback.example': ['127.0.0.1'],
    'half-private.example': ['8.8.8.8', '192.168.0.1'],
    'private-in-ipv6.example': ['8.8.8.8', '::1'],
    'mapped.example': ['::ffff:7f00:1'],
    'nat64.example': ['64:ff9b::a9fe:a9fe'],
    '6to4.example': ['2002:7f00:1::'],
  };
  let server: NameServer;
  const asking = new ReceiverAddresses({ DEMO_MODE: false });

  beforeAll(async () => {
    server = await NameServer.open((name) => {
      if (name.startsWith('silent')) return 'silent';
      if (name === 'healthy.example') return ['8.8.8.8', '2606:4700::1111'];
      return FORBIDDEN[name];
    });
    asking.resolver.setServers([server.address]);
  });
  afterAll(async () => {
    asking.close();
    await server.close();
  });

  it('is connected to at the addresses that were looked at', async () => {
    expect(await lookedUp(asking, 'healthy.example')).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
    expect(await lookedUp(asking, 'healthy.example', false)).toBe('8.8.8.8');
  });

  it.each(Object.keys(FORBIDDEN))('is not connected to when it leads where nobody may go: %s', async (name) => {
    expect(await lookedUp(asking, name)).toBe('AddressForbiddenError');
    expect(await asking.refusalOf(`https://${name}/`)).toBe('Its address is not public.');
  });

  it('that nobody has is not connected to', async () => {
    expect(await lookedUp(asking, 'unknown.example')).toBe('NameNotResolvedError');
  });

  it('is found while the name servers of many others are silent', async () => {
    const ended: string[] = [];
    const silent = Array.from({ length: 64 }, async (_, index) => {
      const result = await lookedUp(asking, `silent-${index}.example`);
      ended.push(String(result));
    });
    expect(await lookedUp(asking, 'healthy.example', false)).toBe('8.8.8.8');
    expect(ended).toEqual([]);
    asking.close();
    await Promise.all(silent);
    expect(new Set(ended)).toEqual(new Set(['NameNotResolvedError']));
  });
});
