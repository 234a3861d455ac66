import { describe, expect, it } from '@jest/globals';

// Stage 0 is plain JavaScript: named by a variable, it is not looked up for types it does not have.
const stage0 = './bootstrap.mjs';
const { isRightNode } = (await import(stage0)) as { readonly isRightNode: (version: string) => boolean };

describe('stage 0', () => {
  it.each([
    ['20.19.0', false],
    ['22.21.1', false],
    ['24.8.0', false],
    ['24.9.0', true],
    ['24.21.0', true],
    ['25.0.0', true],
  ])('takes Node %s as it is: %s', (version, right) => {
    expect(isRightNode(version)).toBe(right);
  });
});
