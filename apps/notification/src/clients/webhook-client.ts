import { isIP } from 'node:net';

import { Injectable } from '@nestjs/common';
import type { WebhookTryError } from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';
import { Agent, buildConnector, type Dispatcher } from 'undici';

import type { NotificationConfig } from '../notification.config.js';
import { AddressForbiddenError, NameNotResolvedError, ReceiverAddresses } from './receiver-addresses.js';

/** Of an answer nothing is needed but its status. So much is read so that the connection can be used again; then it is cut. */
const ANSWER_BYTES_MAX = 8_192;
const ANSWER_REST_MS = 1_000;

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WebhookAnswer {
  readonly statusCode: number | null;
  /** Null: accepted. */
  readonly error: WebhookTryError | null;
  readonly durationMs: number;
}

/** Sends webhooks to addresses that strangers chose: see ReceiverAddresses. Redirects are not followed. */
@Injectable()
export class WebhookClient {
  private readonly agent: Agent;

  constructor(
    private readonly addresses: ReceiverAddresses,
    @InjectConfig() private readonly config: Pick<NotificationConfig, 'WEBHOOK_TIMEOUT_MS'>,
  ) {
    const { WEBHOOK_TIMEOUT_MS: timeout } = config;
    this.agent = new Agent({
      connect: guardedConnector(addresses, timeout),
      headersTimeout: timeout,
      bodyTimeout: timeout,
      allowH2: false,
    });
  }

  /**
   * Sends it once. An answer in time with a status of 2xx is an acceptance, whatever becomes of its body.
   *
   * @throws when `stopped` was aborted: nobody knows what became of it
   */
  async send({ url, headers, body }: WebhookRequest, stopped: AbortSignal): Promise<WebhookAnswer> {
    const begunAt = performance.now();
    const timeLimit = AbortSignal.timeout(this.config.WEBHOOK_TIMEOUT_MS);
    const durationMs = (): number => Math.round(performance.now() - begunAt);
    try {
      const { origin, pathname, search } = new URL(url);
      const answer = await this.agent.request({
        origin,
        path: pathname + search,
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([timeLimit, stopped]),
      });
      const result = { statusCode: answer.statusCode, error: judge(answer.statusCode), durationMs: durationMs() };
      await letGo(answer.body);
      return result;
    } catch (error) {
      if (stopped.aborted) throw error;
      return { statusCode: null, error: timeLimit.aborted ? 'timeout' : errorOf(error), durationMs: durationMs() };
    }
  }

  async close(): Promise<void> {
    this.addresses.close();
    await this.agent.destroy();
  }
}

/** An address in the URL itself is never looked up, so it is looked at here. */
const guardedConnector = (addresses: ReceiverAddresses, timeout: number): buildConnector.connector => {
  const connect = buildConnector({ timeout, allowH2: false, lookup: addresses.lookup });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && !addresses.allows(host)) {
      callback(new AddressForbiddenError(`${host} is not a public address`), null);
      return;
    }
    connect(options, callback);
  };
};

const judge = (statusCode: number): WebhookTryError | null => {
  if (statusCode >= 200 && statusCode < 300) return null;
  return statusCode >= 300 && statusCode < 400 ? 'redirect' : 'status';
};

/** Reads the little that a receiver may say, or cuts the connection. */
const letGo = async (body: Dispatcher.ResponseData['body']): Promise<void> => {
  try {
    await body.dump({ limit: ANSWER_BYTES_MAX, signal: AbortSignal.timeout(ANSWER_REST_MS) });
  } catch {
    // It took too long, or broke: the connection is gone, and the status is known.
  }
};

const CODES: Readonly<Record<string, WebhookTryError>> = {
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'bad_answer',
  UND_ERR_RESPONSE_EXCEEDED_MAX_SIZE: 'bad_answer',
};

const errorOf = (error: unknown): WebhookTryError => {
  if (error instanceof AddressForbiddenError) return 'address_forbidden';
  if (error instanceof NameNotResolvedError) return 'name_not_resolved';
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const known = CODES[code];
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return 'bad_answer';
  return /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)|^EPROTO$/.test(code)
    ? 'tls'
    : 'connection_failed';
};
