import { describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';

import { EventIdSet } from './event-id-set.ts';

describe('a set of event ids', () => {
  it('has every id that was added, and no other, beyond its first capacity', () => {
    const ids = Array.from({ length: 70_000 }, () => newId('evt'));
    const set = new EventIdSet();
    for (const id of ids) set.add(id);
    set.seal();
    expect(ids.filter((id) => !set.has(id))).toEqual([]);
    expect(Array.from({ length: 70_000 }, () => newId('evt')).filter((id) => set.has(id))).toEqual([]);
  });

  it('is empty before anything was added', () => {
    const set = new EventIdSet();
    set.seal();
    expect(set.has(newId('evt'))).toBe(false);
  });
});
