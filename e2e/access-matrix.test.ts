import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';

import { type Role, ROLES } from '../libs/contracts/src/access.js';
import {
  adminToken,
  type Answer,
  authorize,
  call,
  customerToken,
  demo,
  eventually,
  newKey,
  newMerchant,
  type TestMerchant,
} from './stack.js';

/** Who may call what: every route of every service, by every role, with an object that is not there and another's. */

type Schema = Readonly<Record<string, any>>;
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  /** Undefined: public. */
  readonly scopes: readonly string[] | undefined;
  readonly parameters: readonly string[];
  readonly body: Schema | undefined;
}

/** An id of each kind that nobody has. An operation with a parameter that is not here fails. */
const MISSING: Readonly<Record<string, (operation: Operation) => string>> = {
  merchantId: () => newId('mer'),
  userId: () => newId('usr'),
  clientId: () => newId('cli'),
  apiKeyId: () => newId('apk'),
  publishableKey: () => `pk_test_${'A'.repeat(32)}`,
  sessionId: () => newId('ses'),
  paymentId: () => newId('pay'),
  refundId: () => newId('ref'),
  disputeId: () => newId('dp'),
  tokenId: () => newId('tok'),
  walletId: () => newId('wal'),
  holdId: () => newId('hld'),
  approvalId: () => newId('att'),
  accountId: () => newId('acc'),
  transactionId: ({ path }) => (path.startsWith('/ledger') ? newId('ltx') : newId('txn')),
  exceptionId: ({ path }) =>
    newId(path.startsWith('/wallet') ? 'wex' : path.startsWith('/reconciliation') ? 'sex' : 'pex'),
  deadLetterId: () => newId('dl'),
  settlementId: () => newId('set'),
  payoutId: () => newId('po'),
  runId: ({ path }) => (path.startsWith('/settlements') ? newId('srn') : newId('rec')),
  jobId: () => newId('dlj'),
  decisionId: () => newId('fd'),
  reviewId: () => newId('frv'),
  listName: () => 'block_nothing',
  entryId: ({ path }) => (path.startsWith('/ledger') ? newId('le') : newId('fle')),
  endpointId: () => newId('we'),
  deliveryId: () => newId('del'),
  eventId: () => newId('evt'),
  reportId: () => newId('rep'),
  correctionId: () => newId('apr'),
};

/** Bodies that are valid and that the schema alone does not tell. */
const BODIES: Readonly<Record<string, () => unknown>> = {
  authorizeIntent: () => ({ paymentMethod: { type: 'card', token: newId('tok') } }),
  processIntent: () => ({ paymentMethod: { type: 'card', token: newId('tok') } }),
  confirmPayment: () => ({ paymentMethod: { type: 'card', token: newId('tok') }, clientSecret: 'wrong' }),
  saveMember: () => ({ userId: newId('usr'), role: 'MEMBER' }),
  setUserRoles: () => ({ roles: ['customer'] }),
  recoverWebhooks: () => ({ since: '2026-11-01T00:00:00.000Z' }),
  assignSettlementException: () => ({ assignee: null }),
  setPayoutAccount: () => ({ iban: 'GB57PAYF00000100000001', name: 'Ada' }),
};

/** What a read cannot do without. */
const QUERIES: Readonly<Record<string, string>> = {
  getStatement: '?from=2026-11-01T00:00:00.000Z&to=2026-11-02T00:00:00.000Z',
};

/** They answer an object that is not there otherwise, and why. */
const NOT_404: Readonly<Record<string, readonly number[]>> = {
  // Terms of a merchant that has none of his own are the platform's: the payment service does not know who exists.
  readFeeTerms: [200],
  setFeeTerms: [200],
  readFraudPolicy: [200],
  setFraudPolicy: [200],
  // What a merchant or staff sees of a user's payments is filtered, and may be nothing. A customer sees his own only: 404.
  listUserPayments: [200],
  listUserHistory: [200],
};

/** The gateway's own routes are for staff, whose tokens it verifies itself: a key is exchanged on the way to a service only. */
const WITHOUT_KEYS = /^\/(operations\/(dead-letters|stuck)|test-helpers\/)/;

/** Each caller has the scopes of his role. */
const CALLERS = ['customer', 'merchant', 'payer', 'finance', 'risk', 'admin'] as const satisfies readonly Role[];
type CallerName = (typeof CALLERS)[number];
const STAFF: readonly CallerName[] = ['finance', 'risk', 'admin'];

const PASSWORD = 'a long enough phrase 27';
const TRIES_MAX = 20;
const RETRY_PAUSE_MS = 1_000;
const tokens = new Map<CallerName, string>();
let operations: readonly Operation[] = [];
let other: TestMerchant;
/** What another merchant and another customer have. */
const others: Record<string, string> = {};

beforeAll(async () => {
  operations = await operationsOf();
  for (const role of ['customer', 'finance', 'risk', 'admin'] as const) tokens.set(role, await personWith(role));
  tokens.set('merchant', (await newMerchant()).token);
  const { publishableKey } = await merchantAnswer((await newMerchant()).merchantId);
  tokens.set('payer', String(publishableKey));
  other = await newMerchant();
  await makeOthers();
}, 240_000);

const operationsOf = async (): Promise<readonly Operation[]> => {
  const { body } = await call<Schema>('GET', '/openapi.json');
  const resolve = (schema: Schema | undefined): Schema | undefined =>
    schema?.['$ref'] === undefined
      ? schema
      : body['components'].schemas[String(schema['$ref']).split('/').at(-1) ?? ''];
  components = resolve;
  return Object.entries(body['paths'] as Record<string, Schema>).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
      .map(([method, operation]: [string, Schema]) => ({
        method: method.toUpperCase(),
        path,
        id: String(operation['operationId']),
        scopes: operation['x-required-scopes'] as readonly string[] | undefined,
        parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
        body: resolve(operation['requestBody']?.content?.['application/json']?.schema as Schema | undefined),
      })),
  );
};
let components: (schema: Schema | undefined) => Schema | undefined = (schema) => schema;

/** The least that the schema asks for. */
const example = (given: Schema | undefined): unknown => {
  const schema = components(given);
  if (schema === undefined) return undefined;
  if (schema['example'] !== undefined) return schema['example'];
  if (schema['const'] !== undefined) return schema['const'];
  if (schema['enum'] !== undefined) return schema['enum'][0];
  const choices = (schema['oneOf'] ?? schema['anyOf']) as readonly Schema[] | undefined;
  if (choices !== undefined) return example(choices[0]);
  switch (schema['type']) {
    case 'object':
      return Object.fromEntries(
        ((schema['required'] ?? []) as readonly string[]).map((name) => [name, example(schema['properties']?.[name])]),
      );
    case 'array':
      return Array.from({ length: schema['minItems'] ?? 0 }, () => example(schema['items']));
    case 'integer':
    case 'number':
      return Math.max(schema['minimum'] ?? 1, 1);
    case 'boolean':
      return false;
    default:
      return 'x'.repeat(schema['minLength'] ?? 1);
  }
};

const personWith = async (role: Role): Promise<string> => {
  const username = `matrix-${role}-${newKey().slice(0, 8)}`;
  const registered = await call('POST', '/auth/register', { body: { username, password: PASSWORD } });
  if (role !== 'customer')
    await call('PUT', `/users/${registered.body['userId']}/roles`, {
      token: await adminToken(),
      body: { roles: [role] },
    });
  const login = await call('POST', '/auth/login', { body: { username, password: PASSWORD } });
  if (login.status !== 200) throw new Error(login.text);
  return String(login.body['token']);
};

const merchantAnswer = async (merchantId: string) =>
  (await call('GET', `/merchants/${merchantId}`, { token: await adminToken() })).body;

const made = (answer: Answer<any>, name: string): string => {
  if (answer.status >= 300) throw new Error(`${name}: ${answer.status} ${answer.text}`);
  return String(answer.body[name]);
};

/** Real objects of a merchant and a customer that no caller of the matrix is. */
const makeOthers = async (): Promise<void> => {
  const { merchantId, token } = other;
  const at = `/merchants/${merchantId}`;
  others['merchantId'] = merchantId;
  others['clientId'] = made(await call('POST', `${at}/clients`, { token, body: {} }), 'clientId');
  others['apiKeyId'] = made(await call('POST', `${at}/api-keys`, { token, body: { name: 'Other' } }), 'apiKeyId');
  others['publishableKey'] = made(await call('POST', `${at}/publishable-keys`, { token }), 'publishableKey');
  others['paymentId'] = made(await authorize(other, { capture: true }), 'paymentId');
  const refund = await call('POST', `/payments/${others['paymentId']}/refund`, { token, key: newKey(), body: {} });
  others['refundId'] = made(refund, 'refundId');
  const card = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' };
  others['tokenId'] = made(await call('POST', '/tokens', { token, key: newKey(), body: { card } }), 'tokenId');
  const customer = await personWith('customer');
  others['userId'] = String((await call('GET', '/me', { token: customer })).body['userId']);
  const sessions = await call('GET', '/auth/sessions', { token: customer });
  // A stranger can neither accept the invitation nor decline it.
  const invited = { userId: others['userId'], role: 'MEMBER' };
  made(await call('POST', `${at}/members`, { token, body: invited }), 'userId');
  others['sessionId'] = String(sessions.body['data'][0].sessionId);
  const wallet = await call('POST', '/wallets', { token: customer, key: newKey(), body: { currency: 'USD' } });
  others['walletId'] = made(wallet, 'id');
  const endpoint = { url: 'http://127.0.0.1:9/nobody-listens', eventTypes: ['payout.paid'] };
  others['endpointId'] = made(await call('POST', '/webhook-endpoints', { token, key: newKey(), body: endpoint }), 'id');
  const feed = await eventually(async () => {
    const { body } = await call('GET', '/events', { token });
    expect(body['data']).not.toEqual([]);
    return body['data'];
  });
  others['eventId'] = String(feed[0].id);
};

const send = async (
  operation: Operation,
  token: string | undefined,
  ids: Readonly<Record<string, string>>,
): Promise<Answer<any>> => {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '');
  const writes = operation.method !== 'GET' && operation.body !== undefined;
  // A request for no object in particular must do nothing: its body is never valid.
  const body = operation.parameters.length === 0 ? [] : (BODIES[operation.id]?.() ?? example(operation.body));
  for (let tries = 1; ; tries += 1) {
    const answer = await call(operation.method, path + (QUERIES[operation.id] ?? ''), {
      token,
      ...(writes ? { body } : {}),
    });
    // To be asked again: a balance that does not hold the last payments yet, and whatever a fast machine asks for too fast.
    if ((answer.status !== 503 && answer.status !== 429) || tries === TRIES_MAX) return answer;
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
  }
};

const missingIds = (operation: Operation): Record<string, string> =>
  Object.fromEntries(operation.parameters.map((name) => [name, MISSING[name]?.(operation) ?? '']));

const holds = (role: CallerName, scopes: readonly string[]): boolean =>
  scopes.every((scope) => (ROLES[role] as readonly string[]).includes(scope));

/** Everything at once tells more than the first that is wrong. */
const wrongOf = async (
  chosen: readonly Operation[],
  check: (operation: Operation) => Promise<string | undefined>,
): Promise<readonly string[]> => {
  const wrong: string[] = [];
  for (const operation of chosen) {
    const found = await check(operation);
    if (found !== undefined) wrong.push(`${operation.method} ${operation.path} (${operation.id}): ${found}`);
  }
  return wrong;
};

const isNotThere = (operation: Operation, role: CallerName, status: number): boolean =>
  status === 404 || (role !== 'customer' && NOT_404[operation.id]?.includes(status) === true);

const secured = (): readonly Operation[] => operations.filter(({ scopes }) => scopes !== undefined);

describe('the access matrix', () => {
  it('has every route: each names its scopes or is public, and each parameter has an object', () => {
    expect(operations.length).toBeGreaterThan(100);
    const unknown = operations.filter(({ parameters }) => parameters.some((name) => MISSING[name] === undefined));
    expect(unknown.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  it('answers 401 without a token, and with one that is none', async () => {
    const wrong = await wrongOf(secured(), async (operation) => {
      for (const token of [undefined, 'nonsense']) {
        const { status, headers } = await send(operation, token, missingIds(operation));
        if (status !== 401 || headers.get('www-authenticate') === null) return String(status);
      }
      return undefined;
    });
    expect(wrong).toEqual([]);
  });

  it.each(CALLERS)('lets %s call what its scopes reach, and answers 403 to the rest', async (role) => {
    const wrong = await wrongOf(secured(), async (operation) => {
      const { status, body } = await send(operation, tokens.get(role), missingIds(operation));
      const byScope = status === 403 && body.code === 'insufficient_scope';
      if (role === 'payer' && WITHOUT_KEYS.test(operation.path)) return status === 401 ? undefined : String(status);
      if (!holds(role, operation.scopes ?? [])) return byScope ? undefined : `${status} instead of 403`;
      return status === 401 || status >= 500 || (byScope && /^The route needs/.test(body.detail))
        ? `${status} ${body.code}`
        : undefined;
    });
    expect(wrong).toEqual([]);
  });

  it.each(CALLERS)('answers 404 to %s for an object that is not there', async (role) => {
    const wrong = await wrongOf(
      secured().filter(({ parameters, scopes }) => parameters.length > 0 && holds(role, scopes ?? [])),
      async (operation) => {
        const { status, text } = await send(operation, tokens.get(role), missingIds(operation));
        return isNotThere(operation, role, status) ? undefined : `${status} ${text}`;
      },
    );
    expect(wrong).toEqual([]);
  });

  it.each(CALLERS.filter((role) => !STAFF.includes(role)))(
    "answers 404 to %s for somebody else's object",
    async (role) => {
      const chosen = secured().filter(
        ({ parameters, scopes }) =>
          parameters.length > 0 && parameters.every((name) => others[name] !== undefined) && holds(role, scopes ?? []),
      );
      const wrong = await wrongOf(chosen, async (operation) => {
        const { status, text } = await send(operation, tokens.get(role), others);
        return isNotThere(operation, role, status) ? undefined : `${status} ${text}`;
      });
      expect(wrong).toEqual([]);
    },
  );
});

describe('the routes that services keep for each other', () => {
  const ROUTE = /@(Get|Post|Put|Patch|Delete)\((?:'([^']*)')?\)[\s\S]*?@Access\(([^)]*)\)/g;
  /** They stand in no OpenAPI document, so they are read where they are declared. */
  const internal = readdirSync('apps').flatMap((app) =>
    controllersIn(join('apps', app, 'src')).flatMap((file) => {
      const source = readFileSync(file, 'utf8');
      const base = /@Controller\('(internal[^']*)'\)/.exec(source)?.[1];
      if (base === undefined) return [];
      return [...source.matchAll(ROUTE)].map(([, method = '', path, scopes = '']) => ({
        app,
        method: method.toUpperCase(),
        path: `/${base}${path === undefined ? '' : `/${path}`}`.replaceAll(/:\w+/g, 'x'),
        scope: scopes.replaceAll("'", ''),
      }));
    }),
  );

  it('are found', () => {
    expect(internal.length).toBeGreaterThan(3);
  });

  it.each(internal)(
    '$method $path at $app is for nobody without $scope, and not behind the gateway',
    async ({ app, method, path, scope }) => {
      const url = demo().services[app];
      if (url === undefined) throw new Error(`${app} does not run`);
      const direct = async (token?: string) =>
        (
          await fetch(url + path, {
            method,
            headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
          })
        ).status;
      expect(await direct()).toBe(401);
      // Some are for an operator beside the services (key rotation): a customer has none of their scopes.
      for (const token of [await customerToken(), ...(scope === 'internal' ? [await adminToken()] : [])])
        expect(await direct(token)).toBe(403);
      expect((await call(method, path, { token: await adminToken() })).status).toBe(404);
    },
  );
});

function controllersIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.controller.ts'))
    .map((file) => join(folder, file));
}
