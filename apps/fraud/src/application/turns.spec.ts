import { expect, it } from '@jest/globals';

import { Turns } from './turns.js';

it('a turn is over by the time that it took, however few steps that were, and the next begins when others had theirs', async () => {
  let now = 1_000;
  const turns = new Turns(() => now);
  expect(turns.isOver).toBe(false);
  now += 9;
  expect(turns.isOver).toBe(false);
  now += 1;
  expect(turns.isOver).toBe(true);

  const others: string[] = [];
  setImmediate(() => {
    others.push('a decision');
    now += 500;
  });
  await turns.next();
  expect(others).toEqual(['a decision']);
  expect(turns.isOver).toBe(false);
});
