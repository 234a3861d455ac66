import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { call, demo, demoMerchantToken, eventually } from '../stack.js';
import { runCollection } from './newman.js';

const COLLECTION = join(import.meta.dirname, '..', '..', 'docs', 'postman', 'payflow.postman_collection.json');
const RUN_TIMEOUT_MS = 600_000;

describe('the Postman collection of the whole API', () => {
  it(
    'runs in Newman without a failure (R-205)',
    async () => {
      // Tests before this one kill services: balances are told again when settlement has heard of all that was sold.
      await eventually(async () => {
        expect((await call('GET', '/balance', { token: await demoMerchantToken() })).status).toBe(200);
      });
      const { gateway, merchant, admin } = demo();
      const { executions, failures } = await runCollection(COLLECTION, {
        baseUrl: gateway,
        merchantClientId: merchant.clientId,
        merchantClientSecret: merchant.clientSecret,
        adminEmail: admin.email,
        adminPassword: admin.password,
      });
      expect(executions.filter((execution) => execution.failures.length > 0)).toEqual([]);
      expect(failures).toBe(0);
      expect(executions.length).toBeGreaterThan(100);
    },
    RUN_TIMEOUT_MS,
  );
});
