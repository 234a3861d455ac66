import { describe, expect, it } from '@jest/globals';

import { confirmed } from './confirm.ts';
import type { Sources } from './sources.ts';

const nothing = (): void => undefined;
const sourcesWith = (graceMs: number): Sources => ({ graceMs, note: nothing, progress: nothing }) as unknown as Sources;
const suspects = async function* (...ids: readonly string[]): AsyncGenerator<string> {
  await Promise.resolve();
  yield* ids;
};
const wrong = (id: string) => ({ suspect: id, finding: { problem: 'wrong', ids: { payment: id } } });
const idsOf = async (findings: AsyncIterable<{ readonly ids: Readonly<Record<string, string>> }>) => {
  const ids: string[] = [];
  for await (const finding of findings) ids.push(...Object.values(finding.ids));
  return ids;
};

describe('a suspect', () => {
  it('is a finding only when it is wrong at every look', async () => {
    let looks = 0;
    const lookAgain = async (ids: readonly string[]) => {
      looks += 1;
      await Promise.resolve();
      return ids.filter((id) => id === 'lost' || looks === 1).map(wrong);
    };
    expect(await idsOf(confirmed(sourcesWith(1), suspects('late', 'lost'), lookAgain))).toEqual(['lost']);
    expect(looks).toBe(2);
  });

  it('that is right is not looked at again, and nobody waits', async () => {
    const seen: (readonly string[])[] = [];
    const lookAgain = async (ids: readonly string[]) => {
      seen.push(ids);
      return await Promise.resolve([]);
    };
    expect(await idsOf(confirmed(sourcesWith(60_000), suspects('late'), lookAgain))).toEqual([]);
    expect(seen).toEqual([['late']]);
  });

  it('without grace is looked at once', async () => {
    const lookAgain = async (ids: readonly string[]) => await Promise.resolve(ids.map(wrong));
    expect(await idsOf(confirmed(sourcesWith(0), suspects('lost'), lookAgain))).toEqual(['lost']);
  });
});
