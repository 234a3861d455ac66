import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `npm start` wrote for scripts: addresses and the logins of the demo data. */
export interface Demo {
  readonly gateway: string;
  readonly kafka: string;
  readonly postgres: string;
  readonly merchant: {
    readonly merchantId: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly publishableKey: string;
  };
  readonly ledgerClient: { readonly clientId: string; readonly clientSecret: string };
  readonly customer: { readonly email: string; readonly password: string };
  readonly admin: { readonly email: string; readonly password: string };
  /** Each service's own address, behind the gateway. */
  readonly services: Readonly<Record<string, string>>;
  readonly pids: Readonly<Record<string, number>>;
}

/** The state directory of the stack under test; the system tests' global setup starts it and names it here. */
export const stackHome = (): string => {
  const home = process.env['PAYFLOW_E2E_HOME'];
  if (home === undefined) throw new Error('PAYFLOW_E2E_HOME names no stack');
  return home;
};

/** Read anew each time: the supervisor rewrites the pids when it restarts a service. */
export const demo = (): Demo => JSON.parse(readFileSync(join(stackHome(), 'demo.json'), 'utf8')) as Demo;

export interface Answer<Body = Readonly<Record<string, unknown>>> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

export interface CallOptions {
  readonly token?: string | undefined;
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
}

/** The gateway itself gives up before. */
const CALL_TIMEOUT_MS = 60_000;

/** One call through the gateway. */
export const call = async <Body = Readonly<Record<string, any>>>(
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer<Body>> => {
  const payload = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const response = await fetch(demo().gateway + path, {
    method,
    headers: {
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
      ...options.headers,
    },
    ...(payload === undefined ? {} : { body: payload }),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson && text !== '' ? JSON.parse(text) : {}) as Body,
  };
};

const clientToken = async (client: { readonly clientId: string; readonly clientSecret: string }): Promise<string> => {
  const answer = await call<{ access_token: string }>('POST', '/oauth/token', {
    body: { grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret },
  });
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
  return answer.body.access_token;
};

const personToken = async (login: { readonly email: string; readonly password: string }): Promise<string> => {
  const answer = await call<{ token: string }>('POST', '/auth/login', { body: login });
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
  return answer.body.token;
};

const once = (make: () => Promise<string>): (() => Promise<string>) => {
  let token: Promise<string> | undefined;
  return async () => await (token ??= make());
};

export const demoMerchantToken = once(async () => await clientToken(demo().merchant));
export const ledgerToken = once(async () => await clientToken(demo().ledgerClient));
export const adminToken = once(async () => await personToken(demo().admin));
export const customerToken = once(async () => await personToken(demo().customer));

export interface TestMerchant {
  readonly merchantId: string;
  readonly token: string;
}

/** A merchant of a test's own, so that tests share one stack without meeting. */
export const newMerchant = async (): Promise<TestMerchant> => {
  const token = await adminToken();
  const merchant = await call<{ merchantId: string }>('POST', '/merchants', {
    token,
    key: newKey(),
    body: { name: 'Test merchant' },
  });
  if (merchant.status !== 201) throw new Error(`no merchant: ${merchant.status} ${merchant.text}`);
  const client = await call<{ clientId: string; clientSecret: string }>(
    'POST',
    `/merchants/${merchant.body.merchantId}/clients`,
    {
      token,
      key: newKey(),
      body: {},
    },
  );
  if (client.status !== 201) throw new Error(`no client: ${client.status} ${client.text}`);
  return { merchantId: merchant.body.merchantId, token: await clientToken(client.body) };
};

export const newKey = (): string => crypto.randomUUID();

export const CARD_OK = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' };
export const cardNumbered = (number: string): typeof CARD_OK => ({ ...CARD_OK, number });

/** POST /payments/authorize with an inline card, USD 10.00 unless told. */
export const authorize = async (
  merchant: TestMerchant,
  fields: Readonly<Record<string, unknown>> = {},
  key: string = newKey(),
): Promise<Answer<any>> =>
  await call('POST', '/payments/authorize', {
    token: merchant.token,
    key,
    body: { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', card: CARD_OK }, ...fields },
  });

/** Only a test that fails waits so long: leases, restarts that are put off, and a machine that is busy with other things. */
const EVENTUALLY_TIMEOUT_MS = 180_000;
const EVENTUALLY_PAUSE_MS = 100;

/** Asks until the check passes: for what another process does in its own time. */
export const eventually = async <Result>(
  check: () => Promise<Result>,
  timeoutMs = EVENTUALLY_TIMEOUT_MS,
): Promise<Result> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, EVENTUALLY_PAUSE_MS));
    }
  }
};
