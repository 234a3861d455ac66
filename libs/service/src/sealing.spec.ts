import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import { seal, SealBrokenError, unseal } from './sealing.js';

describe('a sealed secret', () => {
  const key = randomBytes(32);

  it('opens under its key and at its place, and only there', () => {
    const sealed = seal('private', key, 'signing-key:a');
    expect(sealed.toString('latin1')).not.toContain('private');
    expect(unseal(sealed, key, 'signing-key:a')).toBe('private');
    expect(() => unseal(sealed, key, 'signing-key:b')).toThrow(SealBrokenError);
    expect(() => unseal(sealed, randomBytes(32), 'signing-key:a')).toThrow(SealBrokenError);
  });

  it('does not open when any byte was changed or cut', () => {
    const sealed = seal('private', key, 'p');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => unseal(changed, key, 'p')).toThrow(SealBrokenError);
    }
    expect(() => unseal(sealed.subarray(0, 20), key, 'p')).toThrow(SealBrokenError);
  });

  it('is sealed differently each time', () => {
    expect(seal('same', key, 'p').equals(seal('same', key, 'p'))).toBe(false);
  });
});
