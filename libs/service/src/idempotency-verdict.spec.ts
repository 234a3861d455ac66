import { describe, expect, it } from '@jest/globals';

import { type FoundKey, judgeKey } from './idempotency-verdict.js';

const RUNNING: FoundKey = { expired: false, keyless: false, sameRequest: true, state: 'running', leaseOver: false };

describe('a request whose key is there already', () => {
  it.each([
    ['begins anew when the key is past its retention', { expired: true, state: 'done', sameRequest: false }, 'restart'],
    ['is a duplicate when it was sent without a key', { keyless: true }, 'duplicate'],
    ['is told that the key is of another request, whatever became of that', { sameRequest: false }, 'reused'],
    ['is told so before the answer', { sameRequest: false, state: 'done' }, 'reused'],
    ['gets the answer that was given', { state: 'done' }, 'replay'],
    ['gets it whether or not the lease is over', { state: 'done', leaseOver: true }, 'replay'],
    ['waits for the owner at work', {}, 'in_use'],
    ['takes over from an owner whose lease is over', { leaseOver: true }, 'take_over'],
  ] as const)('%s', (_name, found, verdict) => {
    expect(judgeKey({ ...RUNNING, ...found })).toBe(verdict);
  });
});
