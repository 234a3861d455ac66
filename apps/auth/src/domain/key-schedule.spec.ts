import { describe, expect, it } from '@jest/globals';

import { currentKey, nextKey, publishedKeys, rotatedRecently, type ScheduledKey } from './key-schedule.js';

const now = new Date('2026-03-01T12:00:00Z');
const minutes = (count: number): Date => new Date(now.getTime() + count * 60_000);

const retired: ScheduledKey = { kid: 'retired', activeFrom: minutes(-200), retireAt: minutes(-1) };
const retiring: ScheduledKey = { kid: 'retiring', activeFrom: minutes(-100), retireAt: minutes(30) };
const current: ScheduledKey = { kid: 'current', activeFrom: minutes(-30), retireAt: null };
const next: ScheduledKey = { kid: 'next', activeFrom: null, retireAt: null };
const keys = [retired, next, current, retiring];

describe('the signing keys', () => {
  it('are published from before they sign until the last token they signed has expired', () => {
    expect(publishedKeys(keys, now).map((key) => key.kid)).toEqual(['next', 'current', 'retiring']);
  });

  it('have one that signs', () => {
    expect(currentKey(keys)?.kid).toBe('current');
    expect(currentKey([next, retiring])).toBeUndefined();
  });

  it('have one that waits', () => {
    expect(nextKey(keys)?.kid).toBe('next');
    expect(nextKey([current])).toBeUndefined();
  });

  it('rotate again only when every verifier can have the next key', () => {
    const fresh = { kid: 'fresh', activeFrom: new Date(now.getTime() - 1_000), retireAt: null };
    expect(rotatedRecently([retiring, fresh, next], now)).toBe(true);
    expect(rotatedRecently([retiring, fresh, next], new Date(now.getTime() + 1_500))).toBe(false);
    // The first two keys were published together.
    expect(rotatedRecently([fresh, next], now)).toBe(false);
  });
});
