import { describe, expect, it } from '@jest/globals';

import { acquirerSimConfigSchema, isControllable } from './acquirer-sim.config.js';

const DATABASE_URL = 'postgres://runtime:secret@127.0.0.1/book';
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const REQUIRED = { DATABASE_URL, SERVICE_CLIENT_SECRET: 'a-secret-of-the-service' };
const parse = (settings: Readonly<Record<string, string>>) =>
  acquirerSimConfigSchema.safeParse({ ...REQUIRED, ...settings });

describe('the settings', () => {
  it('have each acquirer sign with a secret of its own', () => {
    const { data } = parse({ WEBHOOK_SECRETS: JSON.stringify({ sim: SECRET, sim2: SECRET }) });
    expect(data?.WEBHOOK_SECRETS).toEqual({ sim: SECRET, sim2: SECRET });
    expect(parse({}).data?.WEBHOOK_SECRETS).toEqual({});
  });

  it.each([
    ['an acquirer that is not simulated', { WEBHOOK_SECRETS: JSON.stringify({ other: SECRET }) }],
    ['a secret of another kind', { WEBHOOK_SECRETS: JSON.stringify({ sim: 'secret' }) }],
    ['secrets that are no JSON', { WEBHOOK_SECRETS: SECRET }],
    ['a webhook address of another kind', { WEBHOOK_URL: 'ftp://files.example' }],
    ['a retry schedule with a word in it', { WEBHOOK_RETRY_DELAYS_SECONDS: '1,two' }],
    ['a negative time', { PENDING_MS: '-1' }],
  ])('refuse %s', (_, settings) => {
    expect(parse(settings).success).toBe(false);
  });

  it('let the simulator be steered in demonstrations and tests only', () => {
    expect(isControllable({ DEMO_MODE: true, NODE_ENV: 'production' })).toBe(true);
    expect(isControllable({ DEMO_MODE: false, NODE_ENV: 'test' })).toBe(true);
    expect(isControllable({ DEMO_MODE: false, NODE_ENV: 'production' })).toBe(false);
    expect(isControllable({ DEMO_MODE: false, NODE_ENV: 'development' })).toBe(false);
  });
});
