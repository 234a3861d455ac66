import type { IncomingMessage } from 'node:http';
import type { ServerOptions } from 'node:https';
import type { Socket } from 'node:net';

import { newId } from '@payflow/kernel';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { ProblemCode } from '@payflow/contracts';

import type { AllowedMethods } from './allowed-methods.js';
import type { HttpConfig } from './config.js';
import { type Context, runInContext } from './context.js';
import { parseFormBody } from './form-body.js';
import { parseJsonBody } from './json-body.js';
import type { Lifecycle } from './lifecycle.js';
import type { Logger } from './log.js';
import type { Metrics } from './metrics.js';
import { parseMultipartBody } from './multipart-body.js';
import { Problem, PROBLEM_MEDIA_TYPE, problemDocument } from './problem.js';
import { BODY_BYTES_MAX, problemOf, sendProblem } from './problem-filter.js';
import { withQueryFields } from './query-fields.js';
import { contextOf, pathOf, requestIdOf } from './request.js';

/** Longer than any caller keeps an idle connection (undici: 4 s, proxies: 60 s), so that the caller closes first. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** Node looks for late requests this often, so one may be this much later than it may. */
const LATENESS_CHECK_INTERVAL_MS_MAX = 5_000;

/** Fastify as every service runs it: nothing trusted from proxies, bodies bounded before they are parsed. */
export const createAdapter = (
  config: Pick<HttpConfig, 'GATEWAY_URL' | 'REQUEST_TIMEOUT_MS'>,
  tls?: ServerOptions,
): FastifyAdapter => {
  const { GATEWAY_URL: gatewayUrl, REQUEST_TIMEOUT_MS: requestTimeout } = config;
  const limits = {
    connectionsCheckingInterval: Math.min(LATENESS_CHECK_INTERVAL_MS_MAX, requestTimeout),
    // Node swaps the two when the time for headers (60 s by default) is the longer one, and then waits for bodies as long.
    headersTimeout: requestTimeout,
  };
  return new FastifyAdapter({
    ...(tls === undefined ? { http: limits } : { https: { ...tls, ...limits } }),
    bodyLimit: BODY_BYTES_MAX,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout,
    trustProxy: false,
    logger: false,
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
    return503OnClosing: false,
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, problemOf(error), request.id, gatewayUrl);
    },
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
      answerBrokenRequest(error, socket, gatewayUrl);
    },
  });
};

const contexts = new WeakMap<FastifyRequest, Context>();

export interface HttpParts {
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly allowedMethods: AllowedMethods;
}

/** Parsers and hooks: the context of each request, its id in the answer, its line in the log, its place in the metrics. */
export const equip = (server: FastifyInstance, parts: HttpParts): void => {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    parseInto(done, () => {
      if (hasFlag(request, 'keepsBytes')) return body;
      return body.length === 0 ? undefined : parseJsonBody(body as Buffer);
    });
  });
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (request, body, done) => {
    parseInto(done, () => {
      if (!hasFlag(request, 'acceptsForm')) throw new Problem('unsupported_media_type');
      return parseFormBody(body as Buffer);
    });
  });
  server.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (!hasFlag(request, 'acceptsForm')) throw new Problem('unsupported_media_type');
      return await parseMultipartBody(body, request.headers['content-type'] ?? '');
    },
  );
  // Handed on as it comes: a route that takes files bounds them itself, when it has seen who sends them.
  server.addContentTypeParser(['text/csv', 'application/xml', 'text/xml'], (request, payload, done) => {
    parseInto(done, () => {
      if (!hasFlag(request, 'takesFile')) throw new Problem('unsupported_media_type');
      return payload;
    });
  });
  server.addHook('onRoute', ({ url, method }) => {
    parts.allowedMethods.add(url, method);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const context = contextOf(request);
    contexts.set(request, context);
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    const refusal = nulRefusal(request.url);
    runInContext(context, () => {
      done(refusal);
    });
  });
  // Reading the body leaves the context of the hook before it: the socket's events belong to no request.
  server.addHook('preValidation', (request, _reply, done) => {
    runInContext(contexts.get(request) ?? {}, () => {
      parseInto(
        (error) => {
          done(error ?? undefined);
        },
        () => {
          if (hasFlag(request, 'fieldsFromQuery')) request.body = withQueryFields(request.body, request.query);
        },
      );
    });
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (parts.lifecycle.isDraining) reply.header('connection', 'close');
    done(null, payload);
  });
  server.addHook('onResponse', (request, reply, done) => {
    record(request, reply, parts);
    done();
  });
};

/** Postgres cannot store NUL, so no path or query that holds one can mean anything. */
const nulRefusal = (url: string): Problem | undefined => {
  if (!url.includes('%00')) return undefined;
  if (pathOf(url).includes('%00')) return new Problem('route_not_found');
  return new Problem('validation_failed', {
    errors: [{ pointer: '?', code: 'forbidden_character', message: 'the query must not contain NUL' }],
  });
};

const parseInto = (done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void => {
  let body: unknown;
  try {
    body = parse();
  } catch (error) {
    done(error instanceof Error ? error : new Error('the body cannot be parsed', { cause: error }));
    return;
  }
  done(null, body);
};

/** What a decorator said of the route. */
const hasFlag = (
  request: FastifyRequest,
  flag: 'acceptsForm' | 'fieldsFromQuery' | 'keepsBytes' | 'takesFile',
): boolean =>
  flag in request.routeOptions.config &&
  (request.routeOptions.config as unknown as Readonly<Record<string, unknown>>)[flag] === true;

const QUIET_ROUTE = /^\/(health\/|metrics$)/;

const record = (request: FastifyRequest, reply: FastifyReply, parts: HttpParts): void => {
  const route = request.routeOptions.url ?? 'unmatched';
  const { method } = request;
  const status = reply.statusCode;
  parts.metrics.observeRequest({ route, method, status, seconds: reply.elapsedTime / 1_000 });
  const line = { ...contexts.get(request), method, route, status, durationMs: Math.round(reply.elapsedTime * 10) / 10 };
  if (QUIET_ROUTE.test(route)) parts.logger.debug(line, 'request');
  else parts.logger.info(line, 'request');
};

const BROKEN_REQUESTS: Readonly<Record<string, readonly [status: string, code: ProblemCode]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers_too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request_timeout'],
};

/** What Node refuses before there is a request: written to the socket by hand. */
const answerBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket, gatewayUrl: string): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code] = BROKEN_REQUESTS[error.code ?? ''] ?? ['400 Bad Request', 'malformed_request'];
  const requestId = newId('req');
  const body = JSON.stringify(problemDocument(new Problem(code), requestId, gatewayUrl));
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};
