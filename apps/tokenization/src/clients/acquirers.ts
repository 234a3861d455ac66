import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConfig, Metrics } from '@payflow/service';
import { Counter } from 'prom-client';
import { type Dispatcher, Pool } from 'undici';

import type { TokenizationConfig } from '../tokenization.config.js';

const CONNECTIONS_MAX = 64;
/** Below what servers keep idle connections for (Node: 5 s), so that a request seldom meets one that is being closed. */
const KEEP_ALIVE_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 262_144;

/** What became of a request to an acquirer. */
export type Sent =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Buffer }
  /** Not one byte of the request was written: it certainly had no effect. */
  | { readonly kind: 'not_sent'; readonly reason: string }
  /** Bytes were written and no whole answer came: it may have had an effect. */
  | { readonly kind: 'no_answer'; readonly reason: string };

export interface AcquirerRequest {
  readonly path: string;
  /** With the body's media type. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeoutMs: number;
}

interface Acquirer {
  readonly pool: Pool;
  readonly basePath: string;
}

/** The acquirers of the allow-list, and the way to each. Nothing else is ever sent a card; redirects are not followed. */
@Injectable()
export class Acquirers implements OnApplicationShutdown {
  private readonly byName: ReadonlyMap<string, Acquirer>;
  private readonly forwards: Counter<'acquirer' | 'outcome'>;

  constructor(@InjectConfig() config: TokenizationConfig, metrics: Metrics) {
    this.forwards = new Counter({
      name: 'payflow_vault_forwards_total',
      help: 'Requests with a card by acquirer and outcome: answered, not_sent, no_answer.',
      labelNames: ['acquirer', 'outcome'],
      registers: [metrics],
    });
    this.byName = new Map(Object.entries(config.ACQUIRERS).map(([name, url]) => [name, acquirerAt(new URL(url))]));
  }

  get(name: string): ((request: AcquirerRequest) => Promise<Sent>) | undefined {
    const acquirer = this.byName.get(name);
    if (acquirer === undefined) return undefined;
    return async (request) => {
      const sent = await post(acquirer, request);
      this.forwards.inc({ acquirer: name, outcome: sent.kind });
      return sent;
    };
  }

  /** Not before: requests in flight are still being served until then, and each needs its acquirer. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.byName.values()].map(async ({ pool }) => await pool.close()));
  }
}

const acquirerAt = (url: URL): Acquirer => ({
  basePath: url.pathname.replace(/\/+$/, ''),
  pool: new Pool(url.origin, {
    connections: CONNECTIONS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
  }),
});

class DeadlineError extends Error {
  readonly code = 'deadline';
}
class AnswerTooLargeError extends Error {
  readonly code = 'answer_too_large';
}

/**
 * One POST, without a retry: whether to repeat is the caller's decision. undici tells a handler that its request starts
 * just before it writes the first byte, which is what separates `not_sent` from `no_answer`.
 */
const post = async ({ pool, basePath }: Acquirer, request: AcquirerRequest): Promise<Sent> =>
  await new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let expired = false;
    let status = 0;
    let bytes = 0;
    const chunks: Buffer[] = [];
    const settle = (sent: Sent): void => {
      clearTimeout(timer);
      resolve(sent);
    };
    const timer = setTimeout(() => {
      expired = true;
      if (controller === undefined) settle({ kind: 'not_sent', reason: 'deadline' });
      else controller.abort(new DeadlineError('the acquirer did not answer in time'));
    }, request.timeoutMs);
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (started) => {
        // It waited for a connection until its time was over: its caller was told that nothing was sent.
        if (expired) started.abort(new DeadlineError('the deadline passed before the request was sent'));
        else controller = started;
      },
      onResponseStart: (_, statusCode) => {
        status = statusCode;
      },
      onResponseData: (current, chunk) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) current.abort(new AnswerTooLargeError('the answer is too large'));
        else chunks.push(chunk);
      },
      onResponseEnd: () => {
        settle({ kind: 'answered', status, body: Buffer.concat(chunks) });
      },
      onResponseError: (_, error) => {
        settle({ kind: controller === undefined ? 'not_sent' : 'no_answer', reason: reasonOf(error) });
      },
    };
    try {
      pool.dispatch(
        {
          method: 'POST',
          path: basePath + request.path,
          headers: { ...request.headers, accept: 'application/json' },
          body: request.body,
        },
        handler,
      );
    } catch (error) {
      settle({ kind: controller === undefined ? 'not_sent' : 'no_answer', reason: reasonOf(error) });
    }
  });

/** A code, never a message: messages may quote what was sent. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'connection_failed';
