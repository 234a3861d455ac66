import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RemoteProblem, ServiceClient } from '@payflow/clients';
import { PUBLISHABLE_KEY, PUBLISHABLE_KEY_GRANT, type TokenAnswer, tokenAnswerSchema } from '@payflow/contracts';
import { InjectConfig, Problem } from '@payflow/service';
import { LRUCache } from 'lru-cache';

import type { GatewayConfig } from '../gateway.config.js';

const KEYS_MAX = 10_000;
const TIMEOUT_MS = 5_000;
/** A token is exchanged anew when this part of its life is over, so that none expires on its way to a service. */
const KEPT_PART = 0.7;
/** And so that a key that was disabled stops working soon. */
const KEPT_MS_MAX = 60_000;
const MS_PER_SECOND = 1_000;

/**
 * A payer's browser sends the publishable key of the merchant's page as its Bearer token. It is exchanged here for an
 * access token that can do what a payer can, so that every service behind the gateway knows access tokens only.
 */
@Injectable()
export class PayerTokens implements OnApplicationShutdown {
  private readonly auth: ServiceClient;
  private readonly authorizations = new LRUCache<string, string>({ max: KEYS_MAX });

  constructor(@InjectConfig() config: GatewayConfig) {
    this.auth = new ServiceClient({ service: 'auth', url: config.AUTH_URL });
  }

  /** The publishable key in an Authorization header, if that is what it carries. */
  keyIn(authorization: string | undefined): string | undefined {
    const token = /^bearer +(pk_[A-Za-z0-9_-]+)$/i.exec(authorization ?? '')?.[1];
    return token !== undefined && PUBLISHABLE_KEY.test(token) ? token : undefined;
  }

  /** Whether the key was exchanged so lately that nobody has to be asked. */
  knows(publishableKey: string): boolean {
    return this.authorizations.has(publishableKey);
  }

  /**
   * @returns the Authorization header that the services get
   * @throws Problem invalid_token for an unknown key, dependency_unavailable
   */
  async authorizationFor(publishableKey: string): Promise<string> {
    const known = this.authorizations.get(publishableKey);
    if (known !== undefined) return known;
    const { access_token: token, expires_in: seconds } = await this.exchange(publishableKey);
    const authorization = `Bearer ${token}`;
    const ttl = Math.min(seconds * MS_PER_SECOND * KEPT_PART, KEPT_MS_MAX);
    this.authorizations.set(publishableKey, authorization, { ttl });
    return authorization;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.auth.close();
  }

  private async exchange(publishableKey: string): Promise<TokenAnswer> {
    try {
      return await this.auth.request({
        method: 'POST',
        path: '/oauth/token',
        // The caller's own: that the key is refused is his matter and not ours.
        authorization: `Bearer ${publishableKey}`,
        body: { grant_type: PUBLISHABLE_KEY_GRANT, publishable_key: publishableKey },
        repeatable: true,
        timeoutMs: TIMEOUT_MS,
        answer: tokenAnswerSchema,
      });
    } catch (error) {
      if (!(error instanceof RemoteProblem)) throw error;
      throw new Problem('invalid_token', { detail: 'The publishable key is unknown.', cause: error });
    }
  }
}
