import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { type SealContext, sealText, unsealText } from './card-seal.js';
import { hmacHex, KEY_BYTES, newKey, SealBrokenError } from './seal.js';
import { newWrappedKey, unwrapKey, wrapKey, WrongKekError } from './wrapped-key.js';

const key = newKey();
const context: SealContext = {
  tokenId: 'tok_a',
  merchantId: 'mer_a',
  userId: null,
  field: 'number',
  keyVersion: 1,
};
const contexts = fc.record({
  tokenId: fc.string(),
  merchantId: fc.option(fc.string()),
  userId: fc.option(fc.string()),
  field: fc.constantFrom('number' as const, 'holderName' as const, 'answer' as const),
  keyVersion: fc.nat(),
});

describe('sealing', () => {
  it('gives back what was sealed, for any text and context', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), contexts, (text, where) => {
        expect(unsealText(key, sealText(key, text, where), where)).toBe(text);
      }),
    );
  });

  it('opens in no other context', () => {
    fc.assert(
      fc.property(contexts, contexts, (here, there) => {
        fc.pre(JSON.stringify(here) !== JSON.stringify(there));
        const sealed = sealText(key, '4242424242424242', here);
        expect(() => unsealText(key, sealed, there)).toThrow(SealBrokenError);
      }),
    );
  });

  it.each<[string, Partial<SealContext>]>([
    ['another token', { tokenId: 'tok_b' }],
    ['another merchant', { merchantId: 'mer_b' }],
    ['no merchant', { merchantId: null }],
    ['a user', { userId: 'usr_a' }],
    ['another field', { field: 'holderName' }],
    ['another key version', { keyVersion: 2 }],
  ])('does not open for %s', (_, other) => {
    const sealed = sealText(key, '4242424242424242', context);
    expect(() => unsealText(key, sealed, { ...context, ...other })).toThrow(SealBrokenError);
  });

  it('notices a change of any single bit, and any cut', () => {
    const sealed = sealText(key, '4242424242424242', context);
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const changed = Buffer.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => unsealText(key, changed, context)).toThrow(SealBrokenError);
      }),
    );
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => unsealText(key, sealed.subarray(0, length), context)).toThrow(SealBrokenError);
    }
  });

  it('does not open under another key', () => {
    expect(() => unsealText(newKey(), sealText(key, 'x', context), context)).toThrow(SealBrokenError);
  });

  it('never seals the same text to the same bytes', () => {
    const sealed = new Set(Array.from({ length: 1000 }, () => sealText(key, 'x', context).toString('hex')));
    expect(sealed.size).toBe(1000);
  });
});

describe('data keys', () => {
  it('open under their key-encryption key and version alone', () => {
    const kek = newKey();
    const wrapped = wrapKey(kek, key, 3);
    expect(unwrapKey(kek, wrapped, 3)).toEqual(key);
    expect(() => unwrapKey(kek, wrapped, 4)).toThrow(WrongKekError);
    expect(() => unwrapKey(newKey(), wrapped, 3)).toThrow(WrongKekError);
    expect(unwrapKey(kek, newWrappedKey(kek, 1), 1)).toHaveLength(KEY_BYTES);
  });
});

describe('fingerprints', () => {
  it('are equal for equal numbers under one key, and tell nothing across keys', () => {
    const other = newKey();
    expect(hmacHex(key, '4242424242424242')).toBe(hmacHex(key, '4242424242424242'));
    expect(hmacHex(key, '4242424242424242')).not.toBe(hmacHex(key, '4111111111111111'));
    expect(hmacHex(key, '4242424242424242')).not.toBe(hmacHex(other, '4242424242424242'));
  });

  it('are HMAC-SHA-256 (RFC 4231, test case 2)', () => {
    expect(hmacHex(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});
