import { describe, expect, it } from '@jest/globals';

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

describe('a connection', () => {
  it('is not made to a name that leads to this machine', async () => {
    const looked = await new Promise<Error | null>((resolve) => {
      strict.lookup('localhost', { all: true }, (error) => {
        resolve(error);
      });
    });
    expect(looked?.name).toBe('AddressForbiddenError');
    const allowed = await new Promise<unknown>((resolve) => {
      demo.lookup('localhost', {}, (error, address) => {
        resolve(error ?? address);
      });
    });
    expect(['127.0.0.1', '::1']).toContain(allowed);
  });
});
