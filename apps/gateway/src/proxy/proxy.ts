import type { IncomingHttpHeaders } from 'node:http';

import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  AccessTokens,
  clientAddressOf,
  clientCountryOf,
  InjectConfig,
  Lifecycle,
  Logger,
  Metrics,
  Problem,
  problemOf,
  sendProblem,
} from '@payflow/service';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter } from 'prom-client';
import { Pool } from 'undici';

import { CardSwap, type Swapped } from '../cards/card-swap.js';
import { type GatewayConfig, upstreamUrls } from '../gateway.config.js';
import { Bulkheads, type Compartment, OverloadProblem } from '../limits/bulkheads.js';
import { RateLimits } from '../limits/rate-limits.js';
import { pathFrom, segmentsOf } from '../routing/request-path.js';
import { BODY_BYTES_MAX, type Match, matchRoute, ROUTES, type Upstream, UPSTREAMS } from '../routing/route-table.js';
import { forward, isSafe } from './forwarding.js';
import { requestHeaders } from './headers.js';
import { KeyTokens } from './key-tokens.js';
import { readBody } from './read-body.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const CONNECT_TIMEOUT_MS = 1_000;
/** Shorter than the services' (72 s), so that a connection is dropped here before it is dropped there. */
const KEEP_ALIVE_TIMEOUT_MS = 4_000;

/**
 * Everything that goes to a service: matched, authenticated, counted, read, and passed on; the answer is streamed back.
 * Registered in a scope of its own, because its bodies are bytes and not what the other routes parse.
 */
@Injectable()
export class Proxy implements OnApplicationShutdown {
  private readonly pools: Readonly<Record<Upstream, Pool>>;
  private readonly admitted = new WeakMap<FastifyRequest, Admitted>();
  private readonly failures: Counter<'service'>;
  /** The same on every answer: worked out on the first one. */
  private security: Readonly<Record<string, string>> | undefined;

  constructor(
    private readonly tokens: AccessTokens,
    private readonly limits: RateLimits,
    private readonly bulkheads: Bulkheads,
    private readonly cards: CardSwap,
    private readonly keys: KeyTokens,
    private readonly lifecycle: Lifecycle,
    private readonly logger: Logger,
    metrics: Metrics,
    @InjectConfig() private readonly config: GatewayConfig,
  ) {
    const urls = upstreamUrls(config);
    this.pools = Object.fromEntries(UPSTREAMS.map((service) => [service, poolTo(urls[service], config)])) as Readonly<
      Record<Upstream, Pool>
    >;
    this.failures = new Counter({
      name: 'payflow_gateway_upstream_failures_total',
      help: 'Requests that a service did not answer.',
      labelNames: ['service'],
      registers: [metrics],
    });
  }

  async register(server: FastifyInstance): Promise<void> {
    await server.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', async (request: FastifyRequest) => await this.bodyOf(request));
      scope.setErrorHandler((error, request, reply) => {
        this.refuse(error, request, reply);
      });
      scope.addHook('onRequest', async (request, reply) => {
        this.security ??= securityHeadersOf(reply);
        await this.admit(request, reply);
      });
      for (const url of routeUrls())
        scope.route({
          method: METHODS,
          url,
          // Its headers are put on by hand: worked out on every answer they take 14 µs.
          helmet: false,
          handler: (request, reply) => {
            this.pass(request, reply).catch((error: unknown) => {
              this.refuse(error, request, reply);
            });
          },
        });
      done();
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(Object.values(this.pools).map(async (pool) => await pool.close()));
  }

  /** Whether the request may go on, decided before its body is read. */
  private async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const match = matchOf(request);
    const address = `address:${clientAddressOf(request, this.config.TRUSTED_PROXIES)}`;
    const bucket = match.route.bucket ?? 'client';
    const { authorization, counted } = match.route.public
      ? { authorization: request.headers.authorization, counted: address }
      : await this.callerOf(request, address);
    this.admitted.set(request, { match, authorization });
    reply.headers(this.limits.take(bucket, counted));
    // Who has left while his token was looked at has closed already, and would keep his place for ever.
    if (reply.raw.destroyed) throw new Problem('malformed_request', { detail: 'The client has left.' });
    const leave = this.bulkheads.enter(compartmentOf(match, request.method));
    reply.raw.once('close', leave);
  }

  /**
   * The authorization that the services get, and who is counted: the principal of a valid token. One that is not valid
   * counts against its address. All payers of a merchant have one key, so each address draws from a bucket of its own.
   */
  private async callerOf(
    request: FastifyRequest,
    address: string,
  ): Promise<Pick<Admitted, 'authorization'> & { readonly counted: string }> {
    const key = this.keys.keyIn(request.headers.authorization);
    // Whether there is such a key has to be asked, so it counts before the answer and not behind it.
    const asks = key !== undefined && !this.keys.knows(key);
    if (asks) this.limits.take('client', address);
    try {
      const authorization = key === undefined ? request.headers.authorization : await this.keys.authorizationFor(key);
      const { id } = await this.tokens.principalOf(authorization);
      return { authorization, counted: key?.kind === 'publishable' ? `${id} ${address}` : id };
    } catch (error) {
      if (!asks) this.limits.take('client', address);
      throw error;
    }
  }

  private async bodyOf(request: FastifyRequest): Promise<Buffer> {
    const bytesMax = this.admitted.get(request)?.match.route.bodyBytesMax ?? BODY_BYTES_MAX;
    return await readBody(request.raw, { bytesMax, timeoutMs: this.config.BODY_TIMEOUT_MS });
  }

  private async pass(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const admitted = this.admitted.get(request);
    if (!admitted) throw new Error('invariant: a forwarded request was admitted');
    const { match, authorization } = admitted;
    const { body, headers } = Buffer.isBuffer(request.body)
      ? await this.swapped(request, request.body, admitted)
      : { body: null, headers: {} };
    forward({
      pool: this.pools[match.upstream],
      request: {
        path: pathFrom(match.segments) + queryOf(request.url),
        method: request.method,
        headers: requestHeaders(request.headers, {
          requestId: request.id,
          clientAddress: clientAddressOf(request, this.config.TRUSTED_PROXIES),
          clientCountry: clientCountryOf(request, this.config.CLIENT_COUNTRY_HEADER, this.config.TRUSTED_PROXIES),
          protocol: request.protocol,
          hasBody: body !== null,
          added: authorization === undefined ? headers : { ...headers, authorization },
        }),
        body,
      },
      reply,
      clientTimeoutMs: this.config.BODY_TIMEOUT_MS,
      added: () => this.ownHeaders(request, reply),
      failed: (cause) => {
        this.refuse(this.unavailable(match.upstream, cause), request, reply);
      },
    });
  }

  /** What an answer carries of ours: the security headers, and what hooks have put on the reply. */
  private ownHeaders(request: FastifyRequest, reply: FastifyReply): IncomingHttpHeaders {
    const own = { ...this.security, ...(reply.getHeaders() as IncomingHttpHeaders) };
    // What is left of a body that nobody has read would be taken for the next request.
    if (this.lifecycle.isDraining || !request.raw.complete) own.connection = 'close';
    return own;
  }

  private async swapped(request: FastifyRequest, body: Buffer, { match, authorization }: Admitted): Promise<Swapped> {
    const json = /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
    if (!match.swapsCard || !json || body.length === 0) return { body, headers: {} };
    const startedAtMs = performance.now();
    let hadCard = true;
    try {
      const swapped = await this.cards.swap(body, authorization ?? '');
      hadCard = swapped.body !== body;
      return swapped;
    } finally {
      if (hadCard) this.bulkheads.observeSwap(performance.now() - startedAtMs);
    }
  }

  private unavailable(service: Upstream, cause: unknown): Problem {
    this.failures.inc({ service });
    return new Problem('dependency_unavailable', { detail: `The ${service} service does not answer.`, cause });
  }

  private refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = problemOf(error);
    if (problem.status >= 500 && !(problem instanceof OverloadProblem))
      this.logger.error({ err: error, code: problem.code }, 'request failed');
    if (reply.sent) return;
    void reply.headers(this.security ?? {});
    sendProblem(reply, problem, request.id, this.config.GATEWAY_URL);
  }
}

/** A request that may go on: where to, and in whose name. */
interface Admitted {
  readonly match: Match;
  readonly authorization: string | undefined;
}

/** Timeouts are the pool's own: one timer a connection, and none for each request. */
const poolTo = (url: string, config: GatewayConfig): Pool =>
  new Pool(url, {
    // One for each request that may be under way: none waits for a connection.
    connections: 2 * config.UPSTREAM_CONCURRENCY_MAX,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: config.UPSTREAM_TIMEOUT_MS,
    bodyTimeout: config.UPSTREAM_TIMEOUT_MS,
  });

/** What helmet puts on an answer, which does not depend on the request. */
const securityHeadersOf = (reply: FastifyReply): Readonly<Record<string, string>> => {
  const others = new Set(reply.raw.getHeaderNames());
  void reply.helmet();
  const added = Object.entries(reply.raw.getHeaders()).filter(([name]) => !others.has(name));
  return Object.fromEntries(added.map(([name, value]) => [name, String(value)]));
};

/** Fastify's own routes are there for metrics and logs; which service gets a request is the route table's decision. */
const routeUrls = (): readonly string[] =>
  ROUTES.flatMap(({ pattern }) => {
    const url = pattern.replaceAll(/\{(\w+)\}/g, ':$1');
    return [url, `${url}/*`];
  });

/** With its question mark; '' without one. */
const queryOf = (url: string): string => {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start);
};

const matchOf = (request: FastifyRequest): Match => {
  const query = queryOf(request.url);
  if (!/^[\x21\x22\x24-\x7e]*$/.test(query))
    throw new Problem('malformed_request', { detail: 'The query has characters that must be percent-encoded.' });
  const segments = segmentsOf(request.url.slice(0, request.url.length - query.length));
  const match = segments && matchRoute(request.method, segments, query.slice(1));
  if (!match) throw new Problem('route_not_found');
  return match;
};

/** Whoever comes without a token has no part in what is kept for those who have one: a slow body holds a place too. */
const compartmentOf = ({ route, upstream }: Match, method: string): Compartment => {
  if (route.public) return `${upstream} public`;
  return `${upstream} ${isSafe(method) ? 'reads' : 'writes'}`;
};
