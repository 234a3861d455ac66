import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { type Role, type Scope, TOKEN_AUDIENCE } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';
import { SignJWT } from 'jose';

import type { AuthConfig } from '../auth.config.js';
import { SIGNING_ALGORITHM, SigningKeys } from './signing-keys.js';

/** Who a token speaks for, and what it may do. */
export interface TokenSubject {
  /** `usr_…`, `cli_…` or `svc_…`. */
  readonly id: string;
  readonly kind: 'user' | 'client' | 'service';
  /** The client that asked (RFC 9068 §2.2); a person logs in through the first-party client. */
  readonly clientId: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
  readonly merchantId: string | null;
  readonly username?: string | null;
  /** `ses_…`: the login that it comes from. The token ends with it. */
  readonly sessionId?: string;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/** For clocks that differ, and for a token that was being signed meanwhile. */
const EXPIRY_MARGIN_MS = 120_000;

/** Access tokens in the JWT profile of RFC 9068. */
@Injectable()
export class TokenIssuer {
  constructor(
    private readonly keys: SigningKeys,
    @InjectConfig() private readonly config: Pick<AuthConfig, 'ISSUER' | 'ACCESS_TOKEN_SECONDS'>,
  ) {}

  /** When the last token that was issued until now has expired: for how long a revocation matters. */
  lastExpiry(): Date {
    return new Date(Date.now() + this.config.ACCESS_TOKEN_SECONDS * 1_000 + EXPIRY_MARGIN_MS);
  }

  async issue(subject: TokenSubject): Promise<IssuedToken> {
    const signer = await this.keys.signer();
    const issuedAt = Math.floor(Date.now() / 1_000);
    const claims = {
      client_id: subject.clientId,
      kind: subject.kind,
      roles: [...subject.roles],
      scope: subject.scopes.join(' '),
      ...(subject.merchantId === null ? {} : { merchant_id: subject.merchantId }),
      ...(subject.sessionId === undefined ? {} : { sid: subject.sessionId }),
      ...(subject.username === undefined || subject.username === null ? {} : { username: subject.username }),
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: 'at+jwt', kid: signer.kid })
      .setIssuer(this.config.ISSUER)
      .setSubject(subject.id)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + this.config.ACCESS_TOKEN_SECONDS)
      .setJti(randomUUID())
      .sign(signer.privateKey);
    return { token, expiresInSeconds: this.config.ACCESS_TOKEN_SECONDS };
  }
}
