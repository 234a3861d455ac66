import { describe, expect, it } from '@jest/globals';

import { mergeOpenApi } from './merge.js';

const operation = (operationId: string, schema: string) => ({
  operationId,
  responses: { 200: { content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } } },
});
const problem = { type: 'object', required: ['code'] };

const payment = {
  paths: {
    '/payments/{paymentId}': { get: operation('getPayment', 'Payment') },
    '/internal/secrets': { get: operation('secrets', 'Payment') },
    '/operations/dead-letters': { get: operation('list', 'Page') },
  },
  components: {
    schemas: {
      Payment: { type: 'object' },
      Problem: problem,
      Page: { items: { $ref: '#/components/schemas/Payment' } },
    },
    securitySchemes: { accessToken: { type: 'http', scheme: 'bearer' } },
  },
};
const ledger = {
  paths: {
    '/ledger': { get: operation('list', 'Page') },
    '/operations/dead-letters': { get: operation('list', 'Page') },
  },
  components: {
    schemas: { Page: { items: { $ref: '#/components/schemas/Entry' } }, Entry: { type: 'string' }, Problem: problem },
    securitySchemes: { accessToken: { type: 'http', scheme: 'bearer' } },
  },
};

interface Document {
  readonly paths: Record<string, Record<string, { operationId: string; responses: unknown; tags: readonly string[] }>>;
  readonly components: Record<string, Record<string, unknown>>;
}

const merged = mergeOpenApi(
  [
    { service: 'payment', document: payment },
    { service: 'ledger', document: ledger },
    { service: 'tokenization', document: undefined },
  ],
  'http://gateway',
) as unknown as Document;

describe('the merged OpenAPI document', () => {
  it('has what is reachable from outside, under its outside path, and nothing else', () => {
    expect(Object.keys(merged.paths)).toEqual([
      '/payments/{paymentId}',
      '/operations/payment/dead-letters',
      '/ledger',
      '/operations/ledger/dead-letters',
    ]);
  });

  it('names each operation once', () => {
    const ids = Object.values(merged.paths).flatMap((item) => Object.values(item).map((entry) => entry.operationId));
    expect(ids).toEqual(['getPayment', 'paymentDeadLettersList', 'list', 'ledgerDeadLettersList']);
  });

  it('keeps equal components once and different ones apart, with their references', () => {
    expect(Object.keys(merged.components['schemas'] ?? {})).toEqual([
      'Payment',
      'Problem',
      'Page',
      'ledger.Page',
      'Entry',
    ]);
    expect(merged.components['schemas']?.['ledger.Page']).toEqual({ items: { $ref: '#/components/schemas/Entry' } });
    expect(JSON.stringify(merged.paths['/ledger'])).toContain('#/components/schemas/ledger.Page');
    expect(JSON.stringify(merged.paths['/operations/payment/dead-letters'])).toContain('#/components/schemas/Page');
  });

  it('leaves no reference without its target', () => {
    for (const [, section, name] of JSON.stringify(merged).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g))
      expect(merged.components[section ?? '']).toHaveProperty([name ?? '']);
  });

  it('says which service is missing', () => {
    expect(merged).toMatchObject({
      openapi: '3.1.0',
      servers: [{ url: 'http://gateway' }],
      'x-unavailable-services': ['tokenization'],
    });
  });
});
