import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Fields, FraudUnderTest, payment, START_TIMEOUT_MS } from './fraud-under-test.js';

let fraud: FraudUnderTest;
beforeAll(async () => {
  fraud = await FraudUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await fraud.stop();
});

const [rules, explained] = [
  ...readFileSync(new URL('../../../docs/fraud.md', import.meta.url), 'utf8').matchAll(/```json\n([\s\S]*?)```/g),
].map(([, json = '']) => JSON.parse(json) as Fields);

it('judges and explains the example of docs/fraud.md as the page says', async () => {
  await fraud.setRules(rules?.['rules'] as unknown[], rules?.['thresholds'] as { review: number; block: number });
  const { body } = await fraud.judge(payment({ amount: 150_000, method: { country: 'DE' } }));
  expect(body).toMatchObject(explained ?? {});
  expect((await fraud.judge(payment({ amount: 150_000, method: { country: 'CA' } }))).body).toMatchObject({
    outcome: 'ALLOW',
  });
});
