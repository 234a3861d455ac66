import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { type Principal, type Revocations, type Role, ROLES, type Scope, TOKEN_AUDIENCE } from '@payflow/contracts';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

export interface TokenOptions {
  readonly username?: string;
  /** Negative for a token that has run out. */
  readonly expiresInSeconds?: number;
  readonly issuer?: string;
  readonly audience?: string;
  /** For tokens that must be refused: claims that replace the ones of the principal. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const LIFETIME_SECONDS = 300;

/**
 * Stands where the auth service stands, for tests of the others: it serves its public key at
 * `/.well-known/jwks.json`, answers every service's client credentials at `/oauth/token`, keeps a journal of revocations,
 * and mints a token for whichever principal a test wants to be.
 */
export class TokenMint {
  /** How often a publishable key or an API key was exchanged. */
  exchanged = 0;
  private readonly keys = new Map<string, { readonly principal: Principal; readonly clientId: string }>();
  private readonly revocations: Revocations['data'] = [];
  /** Who waits for the next revocation. */
  private waiting: (() => void)[] = [];

  private constructor(
    /** For AUTH_URL, and for ISSUER. */
    readonly url: string,
    private readonly server: Server,
    private readonly key: Key,
    private readonly keyId: string,
  ) {}

  static async open(): Promise<TokenMint> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const keyId = await calculateJwkThumbprint(jwk);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    const mint = new TokenMint(`http://127.0.0.1:${String(address.port)}`, server, privateKey, keyId);
    const publicJwk: JWK = { ...jwk, kid: keyId, alg: 'ES256', use: 'sig' };
    server.on('request', (request, response) => {
      void mint.answer(request, response, publicJwk);
    });
    return mint;
  }

  async close(): Promise<void> {
    for (const wake of this.waiting.splice(0)) wake();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** A signed access token (RFC 9068) for this principal. */
  async token(principal: Principal, options: TokenOptions = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const expiresAt = now + (options.expiresInSeconds ?? LIFETIME_SECONDS);
    return await new SignJWT({
      client_id: principal.kind === 'user' ? 'payflow-web' : principal.id,
      kind: principal.kind,
      roles: principal.roles,
      scope: principal.scopes.join(' '),
      ...(principal.merchantId === undefined ? {} : { merchant_id: principal.merchantId }),
      ...(principal.sessionId === undefined ? {} : { sid: principal.sessionId }),
      ...(options.username === undefined ? {} : { username: options.username }),
      ...options.claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: this.keyId })
      .setIssuer(options.issuer ?? this.url)
      .setSubject(principal.id)
      .setAudience(options.audience ?? TOKEN_AUDIENCE)
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .setJti(crypto.randomUUID())
      .sign(this.key);
  }

  /** The value of an Authorization header for this principal. */
  async authorization(principal: Principal, options: TokenOptions = {}): Promise<string> {
    return `Bearer ${await this.token(principal, options)}`;
  }

  /**
   * From now on the publishable key or API key is this principal's, as the auth service would say.
   *
   * @param clientId what its tokens name besides, so that they end with it: an API key's id
   */
  exchanges(key: string, principal: Principal, clientId: string = principal.id): void {
    this.keys.set(key, { principal, clientId });
  }

  /** From now on no token that names the subject is good. */
  revoke(subject: string): void {
    this.journal({ subject, revoked: true, until: null });
  }

  /** Takes a revocation back. */
  lift(subject: string): void {
    this.journal({ subject, revoked: false, until: null });
  }

  private journal(entry: Revocations['data'][number]): void {
    this.revocations.push(entry);
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** As auth does: at once when there is something newer, else when there is, else when the time is over. */
  private async revocationsAfter(url: URL): Promise<Revocations> {
    const after = Number(url.searchParams.get('after') ?? 0);
    if (this.revocations.length <= after) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Number(url.searchParams.get('waitMs') ?? 0));
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return { position: this.revocations.length, data: this.revocations.slice(after) };
  }

  private whoAsks(
    fields: ReadonlyMap<string, string>,
  ): { readonly principal: Principal; readonly clientId: string } | undefined {
    const key = fields.get('publishable_key') ?? fields.get('api_key');
    if (key !== undefined) {
      this.exchanged += 1;
      return this.keys.get(key);
    }
    const clientId = fields.get('client_id');
    if (clientId?.startsWith('svc_') !== true) return undefined;
    return { principal: servicePrincipal(clientId.slice('svc_'.length)), clientId };
  }

  private async answer(request: IncomingMessage, response: ServerResponse, publicJwk: JWK): Promise<void> {
    if (request.method === 'GET' && request.url === '/.well-known/jwks.json') {
      send(response, 200, { keys: [publicJwk] });
      return;
    }
    if (request.method === 'POST' && request.url === '/oauth/token') {
      const asking = this.whoAsks(await fieldsOf(request));
      if (asking === undefined) {
        send(response, 401, INVALID_CLIENT);
        return;
      }
      const { principal } = asking;
      send(response, 200, {
        access_token: await this.token(principal, { claims: { client_id: asking.clientId } }),
        token_type: 'Bearer',
        expires_in: LIFETIME_SECONDS,
        scope: principal.scopes.join(' '),
      });
      return;
    }
    const url = new URL(request.url ?? '/', this.url);
    if (request.method === 'GET' && url.pathname === '/internal/revocations') {
      send(response, 200, await this.revocationsAfter(url));
      return;
    }
    send(response, 404, { error: 'not_found' });
  }
}

/** As the auth service answers: a problem document that is an OAuth error too. */
const INVALID_CLIENT = {
  type: 'https://payflow.example/docs/problems/invalid_credentials',
  title: 'The credentials are wrong',
  status: 401,
  code: 'invalid_credentials',
  requestId: 'req_mint',
  docUrl: 'https://payflow.example/docs/problems/invalid_credentials',
  error: 'invalid_client',
};

// Principals as tests need them

export const merchantPrincipal = (merchantId: string, clientId = `cli_of_${merchantId}`): Principal => ({
  id: clientId,
  kind: 'client',
  ...rights('merchant'),
  merchantId,
});

/** The browser of a payer on a page of this merchant. */
export const payerPrincipal = (merchantId: string): Principal => ({
  id: `pk_test_of_${merchantId}`,
  kind: 'client',
  ...rights('payer'),
  merchantId,
});

export const ledgerClientPrincipal = (clientId = 'cli_ledger'): Principal => ({
  id: clientId,
  kind: 'client',
  roles: [],
  scopes: ['ledger:post', 'ledger:read'],
});

export const servicePrincipal = (service: string): Principal => ({
  id: `svc_${service}`,
  kind: 'service',
  ...rights('service'),
});

/** A person with this role. */
export const userPrincipal = (userId: string, role: Exclude<Role, 'service'> = 'customer'): Principal => ({
  id: userId,
  kind: 'user',
  ...rights(role),
});

const rights = (role: Role): { readonly roles: readonly Role[]; readonly scopes: readonly Scope[] } => ({
  roles: [role],
  scopes: ROLES[role],
});

const fieldsOf = async (request: IncomingMessage): Promise<ReadonlyMap<string, string>> => {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const body = await textOf(request);
  const json = request.headers['content-type']?.startsWith('application/json') === true;
  const fields = new Map<string, string>(
    json ? Object.entries(JSON.parse(body) as Record<string, string>) : new URLSearchParams(body),
  );
  if (basic !== undefined) fields.set('client_id', Buffer.from(basic, 'base64').toString('utf8').split(':')[0] ?? '');
  return fields;
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
};
