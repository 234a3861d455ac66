import { setTimeout as wait } from 'node:timers/promises';

import { revocationsSchema, tokenAnswerSchema } from '@payflow/contracts';
import { Gauge } from 'prom-client';

import type { Health } from './health.js';
import type { Logger } from './log.js';
import type { Metrics } from './metrics.js';
import type { Revocations } from './revocations.js';

export interface RevocationFeedOptions {
  readonly authUrl: string;
  /** `svc_<service>`. */
  readonly clientId: string;
  readonly clientSecret: string;
}

/** How long auth may keep a question that has no news. Short, because a dead connection is found out only after it. */
const WAIT_MS = 10_000;
const ANSWER_TIMEOUT_MS = WAIT_MS + 2_000;
const TOKEN_TIMEOUT_MS = 3_000;
/** A token is replaced when this part of its life is over, while it still works. */
const TOKEN_KEPT_PART = 0.7;
const RETRY_DELAY_MS_MIN = 100;
/** Well under a second: what auth writes as soon as it is back must be known here within one. */
const RETRY_DELAY_MS_MAX = 500;
const MS_PER_SECOND = 1_000;

/**
 * Keeps a service's copy of the journal of revocations: one question to auth at a time, which auth answers when there is
 * news. It stands here and not above the clients, so that no service can be without it; like the signing keys, it asks with
 * a fetch of its own. When auth is away, the last state is kept: nobody can revoke anything then.
 */
export class RevocationFeed {
  private readonly stopping = new AbortController();
  private position = 0;
  private token: { readonly authorization: string; readonly refreshAtMs: number } | undefined;
  private answeredAtMs = Date.now();
  private failures = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly options: RevocationFeedOptions,
    private readonly revocations: Revocations,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Shows whether the journal was ever read, how old the copy is, and how much it holds. */
  observeWith(health: Health, metrics: Metrics): void {
    health.contribute('revocations', () => {
      if (!this.revocations.isLoaded) throw new Error('not read yet');
    });
    const ageSeconds = (): number => (Date.now() - this.answeredAtMs) / MS_PER_SECOND;
    const entries = (): number => this.revocations.size;
    new Gauge({
      name: 'payflow_revocations_age_seconds',
      help: `Time since auth last answered for its journal of revocations; up to ${WAIT_MS / MS_PER_SECOND} when it has no news.`,
      registers: [metrics],
      collect() {
        this.set(ageSeconds());
      },
    });
    new Gauge({
      name: 'payflow_revocations_entries',
      help: 'Subjects whose tokens are refused.',
      registers: [metrics],
      collect() {
        this.set(entries());
      },
    });
  }

  private async run(): Promise<void> {
    while (!this.isStopping()) {
      const askedAtMs = Date.now();
      try {
        const isNews = await this.ask();
        this.answeredAtMs = Date.now();
        if (this.failures > 0) this.logger.info('the journal of revocations is read again');
        this.failures = 0;
        // An auth that is stopping answers at once, with nothing: not to be asked in a circle.
        if (!isNews && Date.now() - askedAtMs < RETRY_DELAY_MS_MIN) await this.pause(RETRY_DELAY_MS_MIN);
      } catch (error) {
        if (this.isStopping()) return;
        this.failures += 1;
        // Safe to go on: what was revoked stays revoked, and auth alone revokes.
        if (this.failures === 1) this.logger.warn({ err: error }, 'the journal of revocations cannot be read');
        await this.pause(Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN * 2 ** Math.min(this.failures, 10)));
      }
    }
  }

  /** @returns whether there was something new */
  private async ask(): Promise<boolean> {
    const waitMs = this.revocations.isLoaded ? WAIT_MS : 0;
    const response = await fetch(
      `${this.options.authUrl}/internal/revocations?after=${this.position}&waitMs=${waitMs}`,
      { headers: { authorization: await this.authorization() }, signal: this.within(ANSWER_TIMEOUT_MS) },
    );
    if (!response.ok) {
      this.token = undefined;
      await response.body?.cancel();
      throw new Error(`auth answered ${response.status}`);
    }
    const { position, data } = revocationsSchema.parse(await response.json());
    this.revocations.apply(data);
    const isNews = position !== this.position;
    this.position = position;
    if (data.length === 0) this.revocations.startServing();
    return isNews || waitMs === 0;
  }

  /** The service's own token (client credentials, RFC 6749 §4.4). */
  private async authorization(): Promise<string> {
    if (this.token !== undefined && Date.now() < this.token.refreshAtMs) return this.token.authorization;
    const { clientId, clientSecret } = this.options;
    const response = await fetch(`${this.options.authUrl}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
      signal: this.within(TOKEN_TIMEOUT_MS),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`auth gave no token: ${response.status}`);
    }
    const { access_token: token, expires_in: seconds } = tokenAnswerSchema.parse(await response.json());
    const refreshAtMs = Date.now() + seconds * MS_PER_SECOND * TOKEN_KEPT_PART;
    this.token = { authorization: `Bearer ${token}`, refreshAtMs };
    return this.token.authorization;
  }

  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private within(timeoutMs: number): AbortSignal {
    return AbortSignal.any([this.stopping.signal, AbortSignal.timeout(timeoutMs)]);
  }

  private async pause(ms: number): Promise<void> {
    // Spread, so that the services do not all come at the same moment when auth is back.
    await wait(ms * (0.5 + Math.random() / 2), undefined, { signal: this.stopping.signal, ref: false }).catch(
      () => undefined,
    );
  }
}
