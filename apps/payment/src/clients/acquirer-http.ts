import { currentContext, type Logger } from '@payflow/service';
import { Agent, type Dispatcher } from 'undici';

import type { AcquirerOutcome } from '../domain/commands.js';
import { refusesAccess } from './acquirer-answer.js';

const CONNECT_TIMEOUT_MS = 2_000;
/** Shorter than the servers' keep-alive, so that a connection is dropped here before it is dropped there. */
const KEEP_ALIVE_TIMEOUT_MS = 4_000;
const ANSWER_BYTES_MAX = 256 * 1024;

/** Without a connection nothing was sent. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** An answer to be judged by its status and body; or what is known without one. */
export type Exchange =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  | {
      readonly kind: 'failed';
      readonly outcome: Extract<AcquirerOutcome, { kind: 'not_sent' | 'unanswered' | 'declined' }>;
    };

/** What a request is about: our key there, and whose log line it is. */
export interface About {
  readonly id: string;
  readonly acquirer: string;
}

/** Requests to acquirers that carry no card. Once each: whether to repeat is decided elsewhere. */
export class AcquirerHttp {
  private readonly agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
  });

  constructor(
    private readonly timeoutMs: number,
    private readonly logger: Logger,
  ) {}

  async post(url: string, body: unknown, operation: About): Promise<Exchange> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': operation.id, ...tracing() };
    const request = { method: 'POST', headers, body: JSON.stringify(body) } as const;
    const exchange = await this.exchange(url, request, operation, this.timeoutMs);
    noteRefusedAccess(this.logger, exchange, operation);
    return exchange;
  }

  async get(url: string, operation: About): Promise<Exchange> {
    return await this.exchange(url, { method: 'GET', headers: tracing() }, operation, this.timeoutMs);
  }

  async close(): Promise<void> {
    await this.agent.close();
  }

  /** Any request, as it is. */
  async exchange(
    url: string,
    request: Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body'>,
    { id: operationId, acquirer }: About,
    timeoutMs: number,
  ): Promise<Exchange> {
    const { origin, pathname, search } = new URL(url);
    try {
      const response = await this.agent.request({
        ...request,
        origin,
        path: pathname + search,
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { kind: 'answered', status: response.statusCode, body: parsed(await response.body.text()) };
    } catch (error) {
      this.logger.warn({ err: error, operationId, acquirer }, 'no answer of the acquirer');
      return { kind: 'failed', outcome: outcomeOfFailure(error) };
    }
  }
}

/** Nobody mends wrong credentials or a wrong address unless somebody hears of them. */
export const noteRefusedAccess = (logger: Logger, exchange: Exchange, { id, acquirer }: About): void => {
  if (exchange.kind === 'answered' && refusesAccess(exchange.status))
    logger.error(
      { status: exchange.status, operationId: id, acquirer },
      'the acquirer refuses access: check address and credentials',
    );
};

const outcomeOfFailure = (error: unknown): Extract<AcquirerOutcome, { kind: 'not_sent' | 'unanswered' }> =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && NOT_CONNECTED.has(error.code)
    ? { kind: 'not_sent', reason: 'acquirer_unreachable' }
    : { kind: 'unanswered', reason: 'no_answer' };

const tracing = (): Readonly<Record<string, string>> => {
  const { requestId, traceparent } = currentContext();
  return {
    ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
