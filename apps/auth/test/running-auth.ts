import { randomBytes } from 'node:crypto';

import { newId } from '@payflow/kernel';
import { createServiceApp } from '@payflow/service';
import { createTestDatabase, freePort, type TestDatabase, testKafka } from '@payflow/testing';

import type { DemoData } from '../src/auth.config.js';
import { AuthModule } from '../src/auth.module.js';
import { migrations } from '../src/migrations.js';

type App = Awaited<ReturnType<typeof createServiceApp>>;

export const SERVICE_SECRET = 'secret-of-the-payment-service';
export const ISSUER = 'http://gateway.test';

export const newDemoData = (): DemoData => ({
  merchant: {
    merchantId: newId('mer'),
    clientId: newId('cli'),
    clientSecret: randomBytes(24).toString('base64url'),
    publishableKey: `pk_test_${randomBytes(24).toString('base64url')}`,
  },
  ledgerClient: { clientId: newId('cli'), clientSecret: randomBytes(24).toString('base64url') },
  customer: { userId: newId('usr'), email: `customer-${newId('usr')}@example.com`, password: 'customer-secret' },
  admin: { userId: newId('usr'), email: `admin-${newId('usr')}@example.com`, password: 'admin-secret' },
});

/** A port that was free a moment ago: auth verifies tokens at its own address, so it must know it beforehand. */
export interface RunningAuth {
  readonly url: string;
  readonly app: App;
  readonly environment: Readonly<Record<string, string>>;
  readonly demo: DemoData;
  stop(): Promise<void>;
}

export const identityDatabase = async (): Promise<TestDatabase> =>
  await createTestDatabase({ service: 'auth', migrations });

/** An instance; a second one on the same database is given the first one's environment. */
export const startAuth = async (
  database: TestDatabase,
  settings: Readonly<Record<string, string>> = {},
  demo: DemoData = newDemoData(),
): Promise<RunningAuth> => {
  const port = await freePort();
  const environment = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATABASE_URL: database.runtimeUrl,
    KAFKA_BROKERS: testKafka().brokers.join(','),
    KAFKA_TOPIC_PREFIX: `auth-${randomBytes(4).toString('hex')}.`,
    ISSUER,
    SERVICE_CLIENT_SECRET: SERVICE_SECRET,
    SERVICE_CLIENTS: JSON.stringify({ svc_payment: SERVICE_SECRET }),
    SIGNING_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    CODE_SEALING_KEY: randomBytes(32).toString('base64'),
    DEMO_MODE: 'true',
    DEMO_DATA: JSON.stringify(demo),
    ...settings,
    AUTH_URL: `http://127.0.0.1:${port}`,
  };
  const app = await createServiceApp({ name: 'auth', module: AuthModule, environment });
  await app.listen({ port, host: '127.0.0.1' });
  return {
    url: environment.AUTH_URL,
    app,
    environment,
    demo,
    stop: async () => {
      await app.close();
    },
  };
};

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

const answered = async (response: Response): Promise<Answered> => {
  const text = await response.text();
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, text, body };
};

export const get = async (url: string, token?: string): Promise<Answered> =>
  await answered(await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }));

export const postForm = async (
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> => await answered(await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) }));

export const postJson = async (
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> =>
  await answered(
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
  );

export const tokenOf = (answer: Answered): string => {
  const token = answer.body['access_token'] ?? answer.body['token'];
  if (typeof token !== 'string') throw new Error(`no token in the answer ${answer.status}: ${answer.text}`);
  return token;
};

export const logIn = async (auth: RunningAuth, who: 'admin' | 'customer'): Promise<string> => {
  const { email, password } = auth.demo[who];
  return tokenOf(await postForm(`${auth.url}/auth/login`, { email, password }));
};
