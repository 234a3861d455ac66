import { describe, expect, it } from '@jest/globals';
import type { FraudListKind } from '@payflow/contracts';

import { listValueOf } from './list-values.js';

describe('the values of lists', () => {
  it.each<[FraudListKind, string, string | undefined]>([
    ['email', 'Ann@Example.com', 'ann@example.com'],
    ['email', '@Example.com', '@example.com'],
    ['email', 'ann', undefined],
    ['email', 'ann@', undefined],
    ['ip', '192.0.2.77/24', '192.0.2.0/24'],
    ['ip', '2001:DB8::1', '2001:db8:0:0:0:0:0:1'],
    ['ip', 'example.com', undefined],
    ['bin', '424242', '424242'],
    ['bin', '42424', undefined],
    ['bin', '424242424242', undefined],
    ['country', 'US', 'US'],
    ['country', 'usa', undefined],
    ['user', 'usr_01kxyz6w3hf8btq2v9m4n7r5sd', 'usr_01kxyz6w3hf8btq2v9m4n7r5sd'],
    ['user', 'mer_01kxyz6w3hf8btq2v9m4n7r5sd', undefined],
    ['fingerprint', 'a1b2', 'a1b2'],
    ['fingerprint', 'a b', undefined],
  ])('%s: %s is kept as %s', (kind, text, value) => {
    expect(listValueOf(kind, text)).toBe(value);
  });
});
