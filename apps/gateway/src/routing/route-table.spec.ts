import { describe, expect, it } from '@jest/globals';

import { segmentsOf } from './request-path.js';
import { BODY_BYTES_MAX, matchRoute, ROUTES } from './route-table.js';

const match = (method: string, target: string) => {
  const [path = '', query] = target.split('?');
  const segments = segmentsOf(path);
  return segments && matchRoute(method, segments, query);
};
const at = (method: string, path: string): string | undefined => {
  const found = match(method, path);
  return found && `${found.upstream} /${found.segments.join('/')}`;
};

describe('the route table', () => {
  it.each([
    ['POST', '/oauth/token', 'auth /oauth/token'],
    ['POST', '/auth/login', 'auth /auth/login'],
    ['POST', '/auth/keys/rotate', 'auth /auth/keys/rotate'],
    ['GET', '/.well-known/jwks.json', 'auth /.well-known/jwks.json'],
    ['GET', '/me', 'auth /me'],
    ['POST', '/merchants/mer_1/clients', 'auth /merchants/mer_1/clients'],
    ['GET', '/merchants/mer_1/fee-terms', 'payment /merchants/mer_1/fee-terms'],
    ['PUT', '/merchants/mer_1/fee-terms/USD', 'payment /merchants/mer_1/fee-terms/USD'],
    ['POST', '/payments/authorize', 'payment /payments/authorize'],
    ['POST', '/payments?fromUser=usr_1&toUser=usr_2&amount=10', 'wallet /payments'],
    ['POST', '/payments?amount=10&from%55ser=usr_1', 'wallet /payments'],
    ['POST', '/payments?toUser=usr_2', 'payment /payments'],
    ['GET', '/payments?fromUser=usr_1', 'payment /payments'],
    ['POST', '/payments/authorize?fromUser=usr_1', 'payment /payments/authorize'],
    ['POST', '/payments/txn_1/process', 'wallet /payments/txn_1/process'],
    ['GET', '/payments/txn_1', 'wallet /payments/txn_1'],
    ['GET', '/payments/pay_txn_1', 'payment /payments/pay_txn_1'],
    ['GET', '/payments/usr_1/history', 'payment /payments/usr_1/history'],
    ['GET', '/refunds/ref_1', 'payment /refunds/ref_1'],
    ['PUT', '/routing/rules', 'payment /routing/rules'],
    ['GET', '/users/usr_1/payments', 'payment /users/usr_1/payments'],
    ['DELETE', '/tokens/tok_1', 'tokenization /tokens/tok_1'],
    ['GET', '/ledger', 'ledger /ledger'],
    ['POST', '/ledger/transactions', 'ledger /ledger/transactions'],
    ['POST', '/wallet/add', 'wallet /wallet/add'],
    ['POST', '/wallet/withdraw', 'wallet /wallet/withdraw'],
    ['GET', '/wallet-exceptions', 'wallet /wallet-exceptions'],
    ['GET', '/test-cards', 'acquirer-sim /test-cards'],
    ['GET', '/test-bank-accounts', 'acquirer-sim /test-bank-accounts'],
    ['GET', '/operations/ledger/dead-letters', 'ledger /operations/dead-letters'],
    ['POST', '/operations/payment/dead-letters/dl_1/replay', 'payment /operations/dead-letters/dl_1/replay'],
  ])('%s %s goes to %s', (method, path, expected) => {
    expect(at(method, path)).toBe(expected);
  });

  it.each([
    '/internal/events/pay_1',
    '/internal',
    '/metrics',
    '/health/ready',
    '/openapi.json',
    '/acquirers/sim/authorizations',
    '/operations/dead-letters',
    '/operations/ledger',
    '/operations/postgres/dead-letters',
    '/operations/ledger/internal',
    '/Payments',
    '/payments2',
    '/paymentsx/1',
    '/',
  ])('%s is not reachable', (path) => {
    expect(at('GET', path)).toBeUndefined();
  });

  it('leads to nothing internal, whatever stands behind a prefix', () => {
    for (const { pattern } of ROUTES) {
      const path = pattern.replaceAll(/\{\w+\}/g, 'ledger');
      for (const trick of ['/../internal/x', '/%2e%2e/internal/x', '//internal/x', '/%2e%2e%2finternal'])
        expect(match('GET', path + trick)).toBeUndefined();
      expect(match('GET', `${path}/internal`)?.segments[0]).not.toBe('internal');
    }
  });

  it('asks for a token everywhere but where one is got, and at what everyone may read', () => {
    expect(ROUTES.filter((route) => route.public).map((route) => route.pattern)).toEqual([
      '/oauth',
      '/auth/register',
      '/auth/login',
      '/auth/refresh',
      '/auth/verify',
      '/auth/password/forgot',
      '/auth/password/reset',
      '/dev/mailbox',
      '/.well-known',
      '/payments/{paymentId}/return',
      '/webhook',
      '/webhooks/psp/{provider}',
      '/test-cards',
      '/test-bank-accounts',
    ]);
  });

  it('keeps the narrow bucket in front of passwords and client secrets', () => {
    for (const path of ['/oauth/token', '/auth/login']) expect(match('POST', path)?.route.bucket).toBe('credentials');
    expect(match('GET', '/payments')?.route.bucket).toBeUndefined();
  });

  it('swaps cards where a payment may be paid, and nowhere else', () => {
    const swapped = (method: string, path: string): boolean | undefined => match(method, path)?.swapsCard;
    const paying = ['/payments', '/payments/authorize', '/payments/pay_1/authorize', '/payments/pay_1/process'];
    for (const path of [...paying, '/wallet/add']) expect(swapped('POST', path)).toBe(true);
    expect(swapped('POST', '/wallet/withdraw')).toBe(false);
    expect(swapped('GET', '/payments')).toBe(false);
    expect(swapped('POST', '/payments/pay_1/capture')).toBe(false);
    expect(swapped('POST', '/tokens')).toBe(false);
  });

  it('takes a large body only where a batch is posted or a report read in', () => {
    const large = ROUTES.filter((route) => (route.bodyBytesMax ?? 0) > BODY_BYTES_MAX);
    expect(large.map((route) => route.pattern)).toEqual(['/ledger/transactions', '/reconciliation/reports']);
  });
});
