import { readFileSync } from 'node:fs';

import { stackPaths } from '../stack/paths.ts';
import { CliError, EXIT } from './failure.ts';

/** Who may be asked for a token, and how. */
type Login =
  | { readonly kind: 'client'; readonly clientId: string; readonly clientSecret: string }
  | { readonly kind: 'person'; readonly email: string; readonly password: string };

interface Settings {
  readonly gateway: string;
  readonly merchant: Login;
  readonly operator: Login;
  /** Where the servers of this installation are, when it is one of this machine. */
  readonly local?: { readonly postgres: string; readonly kafka: string };
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly date: Date | undefined;
}

export type Call = (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>;

/** PayFlow behind its gateway, as a merchant's client and as an operator. Tokens are fetched when they are first needed. */
export interface Connection {
  readonly gateway: string;
  readonly local: Settings['local'];
  readonly asNobody: Call;
  readonly asMerchant: Call;
  readonly asOperator: Call;
}

const TIMEOUT_MS = 30_000;
const UNAUTHORIZED = 401;

interface DemoFile {
  readonly gateway: string;
  readonly postgres: string;
  readonly kafka: string;
  readonly merchant: { readonly clientId: string; readonly clientSecret: string };
  readonly admin: { readonly email: string; readonly password: string };
}

/**
 * From PAYFLOW_URL with PAYFLOW_CLIENT_ID and PAYFLOW_CLIENT_SECRET (and PAYFLOW_EMAIL with PAYFLOW_PASSWORD for what operators
 * do); without PAYFLOW_URL, from the demo.json that `npm start` wrote.
 *
 * @throws CliError when there is neither
 */
export const connectionFrom = (environment: NodeJS.ProcessEnv): Connection => {
  const settings = settingsFrom(environment);
  const asNobody = callerOf(settings.gateway);
  return {
    gateway: settings.gateway,
    local: settings.local,
    asNobody,
    asMerchant: callerOf(settings.gateway, tokensOf(asNobody, settings.merchant)),
    asOperator: callerOf(settings.gateway, tokensOf(asNobody, settings.operator)),
  };
};

const settingsFrom = (environment: NodeJS.ProcessEnv): Settings => {
  const gateway = environment['PAYFLOW_URL'];
  if (gateway === undefined || gateway === '') return settingsOfDemo(environment);
  const merchant: Login = {
    kind: 'client',
    clientId: environment['PAYFLOW_CLIENT_ID'] ?? '',
    clientSecret: environment['PAYFLOW_CLIENT_SECRET'] ?? '',
  };
  const { PAYFLOW_EMAIL: email, PAYFLOW_PASSWORD: password } = environment;
  const operator: Login =
    email === undefined || password === undefined ? merchant : { kind: 'person', email, password };
  return { gateway: gateway.replace(/\/$/, ''), merchant, operator };
};

const settingsOfDemo = (environment: NodeJS.ProcessEnv): Settings => {
  const file = stackPaths(environment).demo;
  let demo: DemoFile;
  try {
    demo = JSON.parse(readFileSync(file, 'utf8')) as DemoFile;
  } catch {
    throw new CliError(
      EXIT.unreachable,
      `No PayFlow is known: there is no ${file}. \`npm start\` makes one; or name another by PAYFLOW_URL.`,
    );
  }
  const { gateway, postgres, kafka } = demo;
  return {
    gateway,
    merchant: { kind: 'client', ...demo.merchant },
    operator: { kind: 'person', ...demo.admin },
    local: { postgres, kafka },
  };
};

/** @param tokens in whose name; a token that PayFlow does not take any more is renewed, once, and the same is asked again */
const callerOf = (gateway: string, tokens?: Tokens): Call => {
  const ask = asker(gateway);
  return async (method, path, body, key = crypto.randomUUID()) => {
    if (tokens === undefined) return await ask(method, path, body, key);
    const token = await tokens.current();
    const answer = await ask(method, path, body, key, token);
    if (answer.status !== UNAUTHORIZED) return answer;
    const again = await ask(method, path, body, key, await tokens.renewed(token));
    if (again.status !== UNAUTHORIZED) return again;
    throw refusal(
      'PayFlow does not take the token that it has just given; was the login closed?',
      again.status,
      again.body,
    );
  };
};

const asker =
  (gateway: string) =>
  async (method: string, path: string, body: unknown, key: string, token?: string): Promise<Answer> => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    let response: Response;
    try {
      response = await fetch(gateway + path, {
        method,
        headers: {
          ...authorization,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(method === 'GET' ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new CliError(EXIT.unreachable, `PayFlow does not answer at ${gateway}: ${reasonOf(error)}.`);
    }
    const text = await response.text();
    const date = response.headers.get('date');
    return { status: response.status, body: jsonOf(text), date: date === null ? undefined : new Date(date) };
  };

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

interface Tokens {
  readonly current: () => Promise<string>;
  /** Another one than this, which was refused. */
  readonly renewed: (refused: string) => Promise<string>;
}

/** Fetched when it is first needed, and anew when it has run out: `listen` and waiting for a job may take longer than it holds. */
const tokensOf = (call: Call, login: Login): Tokens => {
  let token: Promise<string> | undefined;
  const fetchToken = async (): Promise<string> => {
    const { status, body } =
      login.kind === 'person'
        ? await call('POST', '/auth/login', { email: login.email, password: login.password })
        : await call('POST', '/oauth/token', {
            grant_type: 'client_credentials',
            client_id: login.clientId,
            client_secret: login.clientSecret,
          });
    const { token: own, access_token: issued } = body as { readonly token?: string; readonly access_token?: string };
    const found = own ?? issued;
    if (status !== 200 || found === undefined)
      throw refusal(`Signing in as ${nameOf(login)} was refused`, status, body);
    return found;
  };
  const current = async (): Promise<string> => await (token ??= fetchToken());
  return {
    current,
    renewed: async (refused) => {
      if ((await current()) === refused) token = fetchToken();
      return await current();
    },
  };
};

const nameOf = (login: Login): string => (login.kind === 'person' ? login.email : `client ${login.clientId}`);

/** The body of an answer that is a success. @throws CliError with the problem that PayFlow told */
export const expectSuccess = <Body>({ status, body }: Answer): Body => {
  if (status >= 200 && status < 300) return body as Body;
  throw refusal('PayFlow refused', status, body);
};

const refusal = (what: string, status: number, body: unknown): CliError => {
  const { code, title, detail } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const words = [code, title, detail].filter((word): word is string => typeof word === 'string');
  return new CliError(EXIT.refused, `${what} (${status}): ${words.join('. ') || 'no reason given'}`, body);
};
