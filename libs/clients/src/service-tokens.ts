import { tokenAnswerSchema } from '@payflow/contracts';

import { ServiceClient } from './service-client.js';

export interface ServiceTokensOptions {
  readonly authUrl: string;
  /** `svc_<service>`. */
  readonly clientId: string;
  readonly clientSecret: string;
}

const TIMEOUT_MS = 5_000;
/** A token is replaced when this part of its life is over, while it still works. */
const REFRESH_AFTER_PART = 0.7;

interface HeldToken {
  readonly accessToken: string;
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

/** The service's own access token (client credentials, RFC 6749 §4.4): fetched once, shared, and replaced before it expires. */
export class ServiceTokens {
  private readonly client: ServiceClient;
  private held: HeldToken | undefined;
  private fetching: Promise<HeldToken> | undefined;

  constructor(private readonly options: ServiceTokensOptions) {
    this.client = new ServiceClient({ service: 'auth', url: options.authUrl, connectionsMax: 1 });
  }

  /** @throws ServiceUnavailableError | RemoteProblem when there is none that still works */
  async accessToken(): Promise<string> {
    const { held } = this;
    if (held !== undefined && Date.now() < held.refreshAtMs) return held.accessToken;
    const fetched = this.refresh();
    if (held === undefined || Date.now() >= held.expiresAtMs) return (await fetched).accessToken;
    // Nobody waits for the refresh while the old token works; if it fails, the next call tries again.
    fetched.catch(() => undefined);
    return held.accessToken;
  }

  async close(): Promise<void> {
    await this.fetching?.catch(() => undefined);
    await this.client.close();
  }

  private refresh(): Promise<HeldToken> {
    this.fetching ??= this.fetchToken().finally(() => {
      this.fetching = undefined;
    });
    return this.fetching;
  }

  private async fetchToken(): Promise<HeldToken> {
    const { clientId, clientSecret } = this.options;
    const askedAtMs = Date.now();
    const answer = await this.client.request({
      method: 'POST',
      path: '/oauth/token',
      // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
      authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`,
      body: { grant_type: 'client_credentials' },
      repeatable: true,
      timeoutMs: TIMEOUT_MS,
      answer: tokenAnswerSchema,
    });
    const lifeMs = answer.expires_in * 1_000;
    this.held = {
      accessToken: answer.access_token,
      refreshAtMs: askedAtMs + lifeMs * REFRESH_AFTER_PART,
      expiresAtMs: askedAtMs + lifeMs,
    };
    return this.held;
  }
}
