import { readJson } from '../servers/files.ts';
import type { StackPaths } from '../stack/paths.ts';
import type { DemoFile } from '../stack/state.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface Merchant {
  readonly merchantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Somebody with a wallet. */
export interface Person {
  readonly username: string;
  readonly password: string;
  readonly walletId: string;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly key?: string | null;
  readonly body?: string | null;
  readonly timeoutMs?: number;
}

const CALL_TIMEOUT_MS = 15_000;
const WALLET_CURRENCY = 'USD';
const SIGN_IN_TRIES_MAX = 60;
const SIGN_IN_PAUSE_MS = 1_000;

/** The product as its users see it: through the gateway, with their own tokens. */
export class Platform {
  private readonly paths: StackPaths;
  private readonly tokens = new Map<string, Promise<string>>();

  constructor(paths: StackPaths) {
    this.paths = paths;
  }

  demo(): DemoFile {
    const demo = readJson<DemoFile>(this.paths.demo);
    if (demo === undefined) throw new Error(`${this.paths.demo} is missing`);
    return demo;
  }

  /** One request as a merchant's server sends it. Rejects when nothing is heard. */
  async asMerchant(merchant: Merchant, call: Call): Promise<Answer> {
    return await this.withToken(merchant.clientId, async () => await this.clientToken(merchant), call);
  }

  async asPerson({ username, password }: Omit<Person, 'walletId'>, call: Call): Promise<Answer> {
    return await this.withToken(username, async () => (await this.login({ username, password })).token, call);
  }

  async asAdmin(call: Call): Promise<Answer> {
    return await this.withToken('admin', async () => await this.adminToken(), call);
  }

  /** As the administrator, at a service's own address: what operators reach from inside only. */
  async asOperatorOf(baseUrl: string, call: Call): Promise<Answer> {
    const token = await this.tokenOf('admin', async () => await this.adminToken());
    return await send(baseUrl, token, call);
  }

  async newMerchant(name: string): Promise<Merchant> {
    const made = await this.asAdmin({
      method: 'POST',
      path: '/merchants',
      key: crypto.randomUUID(),
      body: JSON.stringify({ name }),
    });
    const { merchantId } = bodyOf(made, 201) as { merchantId: string };
    const path = `/merchants/${merchantId}/clients`;
    const client = await this.asAdmin({ method: 'POST', path, key: crypto.randomUUID(), body: '{}' });
    const { clientId, clientSecret } = bodyOf(client, 201) as { clientId: string; clientSecret: string };
    return { merchantId, clientId, clientSecret };
  }

  /** Somebody new, with an empty wallet. */
  async newPerson(): Promise<Person> {
    const username = `drill_${crypto.randomUUID().slice(0, 18).replaceAll('-', '_')}`;
    const login = { username, password: 'correct horse battery staple' };
    const body = JSON.stringify(login);
    bodyOf(await send(this.demo().gateway, '', { method: 'POST', path: '/auth/register', body }), 201);
    const made = await this.asPerson(login, {
      method: 'POST',
      path: '/wallets',
      key: crypto.randomUUID(),
      body: JSON.stringify({ currency: WALLET_CURRENCY }),
    });
    const { id } = bodyOf(made, 201) as { id: string };
    return { ...login, walletId: id };
  }

  /** Tokens end: one that is refused is fetched again, once. */
  private async withToken(holder: string, fetchToken: () => Promise<string>, call: Call): Promise<Answer> {
    const { gateway } = this.demo();
    const answer = await send(gateway, await this.tokenOf(holder, fetchToken), call);
    if (answer.status !== 401) return answer;
    this.tokens.delete(holder);
    return await send(gateway, await this.tokenOf(holder, fetchToken), call);
  }

  private async tokenOf(holder: string, fetchToken: () => Promise<string>): Promise<string> {
    const known = this.tokens.get(holder);
    if (known !== undefined) return await known;
    const fetched = patiently(fetchToken);
    this.tokens.set(holder, fetched);
    fetched.catch(() => this.tokens.delete(holder));
    return await fetched;
  }

  private async clientToken({ clientId, clientSecret }: Merchant): Promise<string> {
    const body = JSON.stringify({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });
    const answer = await send(this.demo().gateway, '', { method: 'POST', path: '/oauth/token', body });
    return (bodyOf(answer, 200) as { access_token: string }).access_token;
  }

  /** A person's session goes on: the refresh token of a login is taken for the next one. */
  async prolongSession(): Promise<void> {
    const { refreshToken } = await this.adminLogin();
    const body = JSON.stringify({ refreshToken });
    await send(this.demo().gateway, '', { method: 'POST', path: '/auth/refresh', body });
  }

  private async adminToken(): Promise<string> {
    return (await this.adminLogin()).token;
  }

  private async adminLogin(): Promise<{ readonly token: string; readonly refreshToken: string }> {
    return await this.login(this.demo().admin);
  }

  private async login(login: object): Promise<{ readonly token: string; readonly refreshToken: string }> {
    const body = JSON.stringify(login);
    const answer = await send(this.demo().gateway, '', { method: 'POST', path: '/auth/login', body });
    return bodyOf(answer, 200) as { token: string; refreshToken: string };
  }
}

/** Signing in has no effect that could be doubled, and the drill makes auth fail too. */
const patiently = async (fetchToken: () => Promise<string>): Promise<string> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchToken();
    } catch (error) {
      if (attempt === SIGN_IN_TRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, SIGN_IN_PAUSE_MS));
    }
  }
};

const send = async (baseUrl: string, token: string, call: Call): Promise<Answer> => {
  const response = await fetch(baseUrl + call.path, {
    method: call.method,
    headers: {
      ...(call.body == null ? {} : { 'content-type': 'application/json' }),
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(call.key == null ? {} : { 'idempotency-key': call.key }),
    },
    ...(call.body == null ? {} : { body: call.body }),
    signal: AbortSignal.timeout(call.timeoutMs ?? CALL_TIMEOUT_MS),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
};

export const bodyOf = (answer: Answer, status: number): unknown => {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`);
  return JSON.parse(answer.text);
};

/** The members of an answer; empty when it is no JSON object. */
export const membersOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
};
