import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { baseConfigFields, ConfigError, loadConfig } from './config.js';

const schema = z.object({ ...baseConfigFields, SECRET: z.string().min(16) });
const usable = {
  DATABASE_URL: 'postgres://payflow:secret@127.0.0.1:5432/payflow',
  KAFKA_BROKERS: '127.0.0.1:9092, other:9093',
  SERVICE_CLIENT_SECRET: 'a-secret-of-sixteen',
  SECRET: 'a-secret-of-sixteen',
};

describe('settings', () => {
  it('have defaults, and an empty variable counts as unset', () => {
    expect(loadConfig(schema, { ...usable, PORT: '', LOG_LEVEL: '' })).toMatchObject({
      HOST: '127.0.0.1',
      LOG_LEVEL: 'info',
      DEMO_MODE: false,
      DATABASE_POOL_MAX: 10,
      SHUTDOWN_GRACE_MS: 25_000,
      KAFKA_BROKERS: ['127.0.0.1:9092', 'other:9093'],
    });
  });

  it('name each variable that is wrong, and tell no value', () => {
    const wrong = {
      ...usable,
      PORT: 'eighty',
      DATABASE_URL: 'mysql://root:hunter2@db',
      SECRET: 'short-one',
      DEMO_MODE: 'yes',
    };
    const load = (): unknown => loadConfig(schema, wrong);
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/PORT[^]*DEMO_MODE[^]*DATABASE_URL[^]*SECRET/);
    expect(load).not.toThrow(/hunter2|short-one|eighty/);
  });
});
