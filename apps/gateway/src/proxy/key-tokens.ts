import { hash } from 'node:crypto';

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RemoteProblem, ServiceClient } from '@payflow/clients';
import {
  API_KEY,
  API_KEY_GRANT,
  PUBLISHABLE_KEY,
  PUBLISHABLE_KEY_GRANT,
  type TokenAnswer,
  tokenAnswerSchema,
} from '@payflow/contracts';
import { InjectConfig, Problem } from '@payflow/service';
import { LRUCache } from 'lru-cache';

import type { GatewayConfig } from '../gateway.config.js';

const KEYS_MAX = 10_000;
const TIMEOUT_MS = 5_000;
/** No token is sent to a service in the last part of its life: it must not expire on its way. */
const USABLE_PART = 0.9;
/** A token is exchanged anew after this part of its life. */
const KEPT_PART = 0.7;
/** And after this, so that auth knows which keys are in use (their last use is told to the minute). */
const KEPT_MS_MAX = 60_000;
const MS_PER_SECOND = 1_000;

/** What a caller may send as his Bearer token instead of an access token. */
export interface Key {
  /** An API key is a secret of the merchant's servers; a publishable key stands in his page for everybody to read. */
  readonly kind: 'secret' | 'publishable';
  readonly text: string;
}

interface HeldToken {
  readonly authorization: string;
  readonly refreshAtMs: number;
  readonly usableUntilMs: number;
}

/**
 * API keys and publishable keys are exchanged here for access tokens, so that every service behind the gateway knows access
 * tokens only. The token names its key: one that is revoked is refused within a second by the journal of revocations, like
 * any other token, and not by what is kept here.
 */
@Injectable()
export class KeyTokens implements OnApplicationShutdown {
  private readonly auth: ServiceClient;
  private readonly held = new LRUCache<string, HeldToken>({ max: KEYS_MAX });
  private readonly exchanging = new Map<string, Promise<HeldToken>>();

  constructor(@InjectConfig() config: GatewayConfig) {
    this.auth = new ServiceClient({ service: 'auth', url: config.AUTH_URL });
  }

  /** The key in an Authorization header, if that is what it carries. */
  keyIn(authorization: string | undefined): Key | undefined {
    const text = /^bearer +([ps]k_[A-Za-z0-9_-]+)$/i.exec(authorization ?? '')?.[1];
    if (text === undefined) return undefined;
    if (PUBLISHABLE_KEY.test(text)) return { kind: 'publishable', text };
    return API_KEY.test(text) ? { kind: 'secret', text } : undefined;
  }

  /** Whether the key was exchanged so lately that nobody has to be asked. */
  knows(key: Key): boolean {
    return this.usable(nameOf(key)) !== undefined;
  }

  /**
   * @returns the Authorization header that the services get
   * @throws Problem invalid_token for an unknown key, dependency_unavailable
   */
  async authorizationFor(key: Key): Promise<string> {
    const name = nameOf(key);
    const held = this.usable(name);
    if (held === undefined) return (await this.refreshed(key, name)).authorization;
    if (held.refreshAtMs > Date.now()) return held.authorization;
    // Nobody waits for the refresh while the old token works. When it fails, the next request tries again; a key that is
    // refused now has its token refused by the journal.
    this.refreshed(key, name).catch(() => undefined);
    return held.authorization;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.auth.close();
  }

  private usable(name: string): HeldToken | undefined {
    const held = this.held.get(name);
    return held !== undefined && held.usableUntilMs > Date.now() ? held : undefined;
  }

  /** One question for each key, however many requests wait for it. */
  private async refreshed(key: Key, name: string): Promise<HeldToken> {
    const under = this.exchanging.get(name);
    if (under !== undefined) return await under;
    const exchange = this.exchanged(key, name).finally(() => {
      this.exchanging.delete(name);
    });
    this.exchanging.set(name, exchange);
    return await exchange;
  }

  private async exchanged(key: Key, name: string): Promise<HeldToken> {
    const { access_token: token, expires_in: seconds } = await this.exchange(key, name);
    const now = Date.now();
    const lifeMs = seconds * MS_PER_SECOND;
    const held = {
      authorization: `Bearer ${token}`,
      refreshAtMs: now + Math.min(lifeMs * KEPT_PART, KEPT_MS_MAX),
      usableUntilMs: now + lifeMs * USABLE_PART,
    };
    this.held.set(name, held);
    return held;
  }

  private async exchange({ kind, text }: Key, name: string): Promise<TokenAnswer> {
    const body =
      kind === 'publishable'
        ? { grant_type: PUBLISHABLE_KEY_GRANT, publishable_key: text }
        : { grant_type: API_KEY_GRANT, api_key: text };
    try {
      return await this.auth.request({
        method: 'POST',
        path: '/oauth/token',
        // The caller's own: that the key is refused is his matter and not ours.
        authorization: `Bearer ${text}`,
        body,
        repeatable: true,
        timeoutMs: TIMEOUT_MS,
        answer: tokenAnswerSchema,
      });
    } catch (error) {
      if (!(error instanceof RemoteProblem)) throw error;
      this.held.delete(name);
      throw new Problem('invalid_token', { detail: 'The key is unknown or works no more.', cause: error });
    }
  }
}

/** Secrets are not kept for longer than a request needs them. */
const nameOf = ({ text }: Key): string => hash('sha256', text, 'base64url');
