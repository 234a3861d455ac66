import { problemSchema } from '@payflow/contracts';
import { currentContext, type Problem } from '@payflow/service';
import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { Pool } from 'undici';
import type { z } from 'zod';

import { ContractError, RemoteProblem, ServiceUnavailableError } from './errors.js';
import { exchange, type RawAnswer } from './exchange.js';

export interface ServiceClientOptions {
  /** For messages: `ledger`. */
  readonly service: string;
  readonly url: string;
  /** The access token of each request that brings no authorization of its own. */
  readonly accessToken?: () => Promise<string>;
  readonly connectionsMax?: number;
}

export interface ServiceRequest<Schema extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  /** The caller's `Authorization` header, passed through; without it, the client's own token. */
  readonly authorization?: string;
  readonly idempotencyKey?: string;
  /** A second arrival has no second effect although there is no key (the body carries one). A GET never has. */
  readonly repeatable?: boolean;
  /** For everything, a repetition included. */
  readonly timeoutMs: number;
  /** What the other side answers with status 2xx. */
  readonly answer: Schema;
}

const CONNECTIONS_MAX_DEFAULT = 64;
const CONNECT_TIMEOUT_MS = 1_000;
/** Shorter than the servers' keep-alive (72 s), so that a connection is dropped here before it is dropped there. */
const KEEP_ALIVE_TIMEOUT_MS = 4_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const FAILURES_UNTIL_OPEN = 10;
const OPEN_MS = 1_000;

/**
 * Calls another service: within a deadline, with the context's ids, its refusals as RemoteProblem and its absence as
 * ServiceUnavailableError. After ten failures in a row it is left alone for a second (a circuit breaker), so that a dead
 * service costs its callers nothing.
 */
export class ServiceClient {
  private readonly pool: Pool;
  private readonly breaker = circuitBreaker(handleWhen(isUnavailable), {
    breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
    halfOpenAfter: OPEN_MS,
  });

  constructor(private readonly options: ServiceClientOptions) {
    this.pool = new Pool(options.url, {
      connections: options.connectionsMax ?? CONNECTIONS_MAX_DEFAULT,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxResponseSize: ANSWER_BYTES_MAX,
    });
  }

  /** @throws ServiceUnavailableError | RemoteProblem | ContractError */
  async request<Schema extends z.ZodType>(request: ServiceRequest<Schema>): Promise<z.output<Schema>> {
    const deadlineAtMs = performance.now() + request.timeoutMs;
    try {
      return await this.breaker.execute(async () => await this.answerOf(request, deadlineAtMs));
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw new ServiceUnavailableError(this.options.service, false, error);
      throw error;
    }
  }

  /** Waits for the requests in flight. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  private async answerOf<Schema extends z.ZodType>(
    request: ServiceRequest<Schema>,
    deadlineAtMs: number,
  ): Promise<z.output<Schema>> {
    const headers = await this.headersOf(request);
    const { status, text, retryAfter } = await this.send(request, headers, deadlineAtMs);
    if (status >= 200 && status < 300) return this.parsed(request, text);
    throw this.refusalOf(status, text, retryAfter, request.authorization !== undefined);
  }

  private async headersOf(request: ServiceRequest<z.ZodType>): Promise<Record<string, string>> {
    const { requestId, correlationId, traceparent } = currentContext();
    const authorization = request.authorization ?? (await this.ownAuthorization());
    const headers: Record<string, string> = {};
    if (authorization !== undefined) headers['authorization'] = authorization;
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
    if (requestId !== undefined) headers['x-request-id'] = requestId;
    if (correlationId !== undefined) headers['x-correlation-id'] = correlationId;
    if (traceparent !== undefined) headers['traceparent'] = traceparent;
    return headers;
  }

  private async ownAuthorization(): Promise<string | undefined> {
    if (this.options.accessToken === undefined) return undefined;
    try {
      return `Bearer ${await this.options.accessToken()}`;
    } catch (error) {
      throw new ServiceUnavailableError('auth', false, error);
    }
  }

  /** Once more after a reset, when a second arrival is harmless: the server may have closed the idle connection just then. */
  private async send(
    request: ServiceRequest<z.ZodType>,
    headers: Record<string, string>,
    deadlineAtMs: number,
  ): Promise<RawAnswer> {
    try {
      return await this.sendOnce(request, headers, deadlineAtMs);
    } catch (error) {
      const repeatable =
        request.method === 'GET' || request.idempotencyKey !== undefined || request.repeatable === true;
      if (!repeatable || !isReset(error)) throw this.unavailable(error);
      return await this.sendOnce(request, headers, deadlineAtMs).catch((secondError: unknown) => {
        // The first may have arrived, whatever became of the second.
        throw new ServiceUnavailableError(this.options.service, true, secondError);
      });
    }
  }

  private async sendOnce(
    request: ServiceRequest<z.ZodType>,
    headers: Record<string, string>,
    deadlineAtMs: number,
  ): Promise<RawAnswer> {
    const { method, body } = request;
    const sent = { method, path: pathOf(request), headers, body: body === undefined ? null : JSON.stringify(body) };
    return await exchange(this.pool, sent, Math.max(0, deadlineAtMs - performance.now()));
  }

  private parsed<Schema extends z.ZodType>(request: ServiceRequest<Schema>, text: string): z.output<Schema> {
    const result = request.answer.safeParse(jsonOf(text));
    if (result.success) return result.data;
    const fields = result.error.issues.map(({ path, code }) => `${path.map(String).join('.')}: ${code}`).join('; ');
    throw new ContractError(`${this.options.service} ${request.method} ${request.path} answered otherwise: ${fields}`);
  }

  private refusalOf(status: number, text: string, retryAfter: string | undefined, passedThrough: boolean): Problem {
    const document = problemSchema.safeParse(jsonOf(text));
    // That our own token is refused, or too many calls of ours, is no fault of whoever asked us.
    const oursToBlame = !passedThrough && [401, 403, 429].includes(status);
    if (!document.success || status >= 500 || oursToBlame) {
      return new ServiceUnavailableError(this.options.service, status >= 500, `status ${status}`);
    }
    const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
    return new RemoteProblem(this.options.service, document.data, headers);
  }

  private unavailable(error: unknown): Error {
    if (error instanceof ServiceUnavailableError) return error;
    return new ServiceUnavailableError(this.options.service, !isNotSent(error), error);
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ServiceUnavailableError;
}

/** By shape, not by `instanceof`: errors of the operating system come from another realm under Jest. */
const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

const isReset = (error: unknown): boolean => ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(codeOf(error));

/** No connection came about, so nothing was sent. */
const isNotSent = (error: unknown): boolean =>
  ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(
    codeOf(error),
  );

const pathOf = (request: ServiceRequest<z.ZodType>): string => {
  if (request.query === undefined) return request.path;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? request.path : `${request.path}?${query.toString()}`;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
