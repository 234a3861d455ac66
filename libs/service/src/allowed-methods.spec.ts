import { describe, expect, it } from '@jest/globals';

import { AllowedMethods } from './allowed-methods.js';

describe('the methods of a path', () => {
  const methods = new AllowedMethods();
  methods.add('/payments', 'POST');
  methods.add('/payments', ['GET', 'HEAD']);
  methods.add('/payments/:paymentId', 'PATCH');
  methods.add('/payments/:paymentId/capture', 'POST');
  methods.add('/payments/authorize', 'POST');

  it.each([
    ['/payments', ['GET', 'HEAD', 'POST']],
    ['/payments/pay_1', ['PATCH']],
    ['/payments/authorize', ['PATCH', 'POST']],
    ['/payments/pay_1/capture', ['POST']],
    ['/payments/pay_1/capture/x', []],
    ['/paymentsX', []],
    ['/', []],
  ])('%s takes %j', (path, expected) => {
    expect(methods.of(path)).toEqual(expected);
  });
});
