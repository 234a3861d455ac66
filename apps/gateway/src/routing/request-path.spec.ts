import { describe, expect, it } from '@jest/globals';

import { pathFrom, segmentsOf } from './request-path.js';

describe('the path of a request', () => {
  it.each([
    ['/', []],
    ['/payments', ['payments']],
    ['/payments/pay_1/capture', ['payments', 'pay_1', 'capture']],
    ['/ledger/accounts/merchant:mer_1:payable', ['ledger', 'accounts', 'merchant:mer_1:payable']],
    ['/ledger/accounts/merchant%3Amer_1', ['ledger', 'accounts', 'merchant:mer_1']],
    ['/users/J%C3%BCrgen/payments', ['users', 'Jürgen', 'payments']],
    ['/.well-known/jwks.json', ['.well-known', 'jwks.json']],
  ])('%s is read as %j', (path, segments) => {
    expect(segmentsOf(path)).toEqual(segments);
  });

  it.each([
    '',
    'payments',
    '//payments',
    '/payments//x',
    '/payments/',
    '/payments/../internal/events/x',
    '/payments/./x',
    '/payments/%2e%2e/internal',
    '/payments/.%2E/internal',
    '/payments/..;/internal',
    '/payments/..;a=b/internal',
    '/payments/%2e%2e%2finternal',
    '/payments/%2finternal',
    '/payments\\..\\internal',
    '/payments/%5c..%5cinternal',
    '/payments/%252e%252e/internal',
    '/payments/...',
    '/payments/%00',
    '/payments/x%0d%0aHost:%20evil',
    '/payments/%',
    '/payments/%zz',
    '/payments/%c0%ae%c0%ae/internal',
    '/payments/%E2%80%AE',
    '/payments/ü',
    '/payments/a b',
    `/${'a'.repeat(2_000)}`,
  ])('%j is no path', (path) => {
    expect(segmentsOf(path)).toBeUndefined();
  });

  it('is written in one way', () => {
    expect(pathFrom(['ledger', 'accounts', 'a:b', 'ü?'])).toBe('/ledger/accounts/a%3Ab/%C3%BC%3F');
  });
});
