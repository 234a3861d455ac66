import { hash } from 'node:crypto';

import { isRole, isScope, type Principal, TOKEN_AUDIENCE } from '@payflow/contracts';
import { LRUCache } from 'lru-cache';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { z } from 'zod';

import { Problem } from './problem.js';
import type { Revocations } from './revocations.js';
import { SigningKeys, SigningKeysUnavailableError } from './signing-keys.js';

const VERIFIED_TOKENS_MAX = 10_000;
const TOKEN_LENGTH_MAX = 8_192;

/** RFC 9068 §2.1: the header names the kind of token, so that an id token is not taken for an access token. */
const headerSchema = z.object({
  alg: z.literal('ES256'),
  typ: z.enum(['at+jwt', 'application/at+jwt']),
  kid: z.string().min(1).max(200),
});

/** RFC 9068 §2.2. */
const claimsSchema = z.object({
  sub: z.string().min(1).max(200),
  exp: z.number(),
  client_id: z.string().min(1),
  jti: z.string().min(1),
  kind: z.enum(['user', 'client', 'service']),
  roles: z.array(z.string()).max(50),
  scope: z.string().max(4_000),
  merchant_id: z.string().optional(),
  sid: z.string().max(200).optional(),
});
type Claims = z.infer<typeof claimsSchema>;

interface VerifiedToken {
  readonly principal: Principal;
  /** Everything the token names that can be revoked. */
  readonly names: readonly string[];
  readonly expiresAtMs: number;
}

/**
 * Tells who sent an access token. Signature, audience, issuer and times are checked by passport-jwt with the algorithm
 * pinned; each token once, then its verdict is cached by its SHA-256 until it expires. Whether it was revoked is asked anew
 * on every request.
 */
export class AccessTokens {
  private readonly verified = new LRUCache<string, VerifiedToken>({ max: VERIFIED_TOKENS_MAX });
  /** An instance of its own: the module-wide one would share strategies between applications of one process. */
  private readonly passport = new passport.Passport();
  private readonly keys: SigningKeys;

  constructor(
    options: { readonly authUrl: string; readonly issuer?: string | undefined },
    private readonly revocations: Revocations,
  ) {
    this.keys = new SigningKeys(`${options.authUrl}/.well-known/jwks.json`);
    this.passport.use(
      STRATEGY,
      new Strategy(
        {
          jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
          secretOrKeyProvider: (_request: unknown, token: unknown, done: KeyCallback) =>
            void this.provideKey(String(token), done),
          audience: TOKEN_AUDIENCE,
          algorithms: ['ES256'],
          ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
        },
        (claims: unknown, done: (error: unknown, verified: VerifiedToken | false) => void) => {
          const parsed = claimsSchema.safeParse(claims);
          done(null, parsed.success ? verifiedTokenOf(parsed.data) : false);
        },
      ),
    );
  }

  /**
   * @param authorization the header
   * @throws Problem authentication_required | invalid_token | dependency_unavailable
   */
  async principalOf(authorization: string | undefined): Promise<Principal> {
    const token = bearerTokenOf(authorization);
    if (token === undefined) throw new Problem('authentication_required');
    const key = hash('sha256', token, 'base64url');
    const cached = this.verified.get(key);
    const verified =
      cached !== undefined && cached.expiresAtMs > Date.now() ? cached : await this.verifyNew(token, key);
    if (!this.revocations.isLoaded) await this.revocations.requireLoaded();
    if (this.revocations.isRevoked(verified.names))
      throw new Problem('invalid_token', { detail: 'The access token was revoked.' });
    return verified.principal;
  }

  private async verifyNew(token: string, key: string): Promise<VerifiedToken> {
    const verified = await this.verify(token);
    const ttl = verified.expiresAtMs - Date.now();
    if (ttl > 0) this.verified.set(key, verified, { ttl });
    return verified;
  }

  private async verify(token: string): Promise<VerifiedToken> {
    return await new Promise((resolve, reject) => {
      const decide = (error: unknown, verified: VerifiedToken | false | null | undefined, info: unknown): void => {
        if (verified) resolve(verified);
        else reject(refusalOf(error ?? info));
      };
      const authenticate = this.passport.authenticate(STRATEGY, { session: false }, decide) as AuthenticateFunction;
      authenticate({ headers: { authorization: `Bearer ${token}` } }, {}, reject);
    });
  }

  private async provideKey(token: string, done: KeyCallback): Promise<void> {
    try {
      const header = headerSchema.safeParse(headerOf(token));
      const key = header.success ? await this.keys.find(header.data.kid) : undefined;
      if (key === undefined) done(new Error('the token names no key of the issuer'));
      else done(null, key as unknown as Buffer);
    } catch (error) {
      done(error);
    }
  }
}

const STRATEGY = 'access-token';
/** passport-jwt's types know strings and buffers only; jsonwebtoken below it takes a KeyObject as well. */
type KeyCallback = (error: unknown, key?: string | Buffer) => void;
type AuthenticateFunction = (request: object, response: object, next: (error: unknown) => void) => void;

/** RFC 6750 §2.1, RFC 9110 §11.1: the scheme is case-insensitive. Anything else counts as no credentials. */
const bearerTokenOf = (authorization: string | undefined): string | undefined => {
  if (authorization === undefined || authorization.length > TOKEN_LENGTH_MAX) return undefined;
  return /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
};

const headerOf = (token: string): unknown => {
  try {
    return JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

const verifiedTokenOf = (claims: Claims): VerifiedToken => ({
  principal: {
    id: claims.sub,
    kind: claims.kind,
    // What this version does not know cannot grant anything here.
    roles: claims.roles.filter(isRole),
    scopes: claims.scope.split(' ').filter(isScope),
    ...(claims.merchant_id === undefined ? {} : { merchantId: claims.merchant_id }),
    ...(claims.sid === undefined ? {} : { sessionId: claims.sid }),
  },
  names: [...new Set([claims.sub, claims.client_id, claims.merchant_id, claims.sid])].filter(
    (name): name is string => name !== undefined,
  ),
  expiresAtMs: claims.exp * 1_000,
});

const refusalOf = (cause: unknown): Problem => {
  if (cause instanceof SigningKeysUnavailableError) {
    return new Problem('dependency_unavailable', { detail: 'The signing keys cannot be fetched.', cause });
  }
  const expired = cause instanceof Error && cause.name === 'TokenExpiredError';
  return new Problem('invalid_token', { ...(expired ? { detail: 'The access token has expired.' } : {}), cause });
};
