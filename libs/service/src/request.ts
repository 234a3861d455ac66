import { containsCardNumber, newId } from '@payflow/kernel';
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';

import { CLIENT_COUNTRY_HEADER } from './client-address.js';
import type { Context } from './context.js';
import { versionOfIfMatch } from './entity-tag.js';
import { Problem } from './problem.js';

/**
 * Set by the gateway when it swapped an inline card for a token: the card's fingerprint. A repetition gets a new token for
 * the same card, so the fingerprint, not the token, tells whether the request is the same. Stripped from outside requests.
 */
export const CARD_FINGERPRINT_HEADER = 'x-payflow-card-fingerprint';

/**
 * Set by the gateway at the same time: what the vault answered when it made the token, as `swappedCardHeader` writes it.
 * Stripped from outside requests too. Whoever reads it may spare a question about the token, and nothing else: see
 * `CardProcessor` in apps/payment for why a forged one would do no harm.
 */
export const SWAPPED_CARD_HEADER = 'x-payflow-swapped-card';

const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;
const REQUEST_ID_LENGTH_MAX = 128;
const IDEMPOTENCY_KEY_LENGTH_MAX = 255;
/** W3C Trace Context Level 1 §3.2. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What a request says about itself, beside its body. */
export interface RequestMeta {
  readonly requestId: string;
  readonly idempotencyKey?: string;
  /** The version that `If-Match` names. */
  readonly ifMatch?: number;
  /** Method and route pattern: `POST /payments/:paymentId/capture`. */
  readonly route: string;
  /** The path as it was asked for, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly cardFingerprint?: string;
  /** The value of `SWAPPED_CARD_HEADER`. */
  readonly swappedCard?: string;
  /** Whoever asked the gateway: it writes `X-Forwarded-For` itself, and the services are reachable through it only. */
  readonly forwardedFor?: string;
  /** From which country he comes: known to the gateway where a proxy in front of it tells. */
  readonly clientCountry?: string;
}

/** The request's `RequestMeta`. A key or condition that cannot be used is refused here. */
export const RequestMeta = createParamDecorator((_data: unknown, context: ExecutionContext): RequestMeta =>
  requestMetaOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/**
 * The route also reads `application/x-www-form-urlencoded` and `multipart/form-data` bodies (fields, no files), and with
 * `query` its fields from the query too: never for secrets, which do not belong in URLs. Whatever came so is text, so a
 * schema that takes numbers from JSON and text from forms knows them apart (`writtenAmountSchema`).
 */
export const AcceptsForm = ({ query = false }: { readonly query?: boolean } = {}): MethodDecorator =>
  applyDecorators(
    RouteConfig({ acceptsForm: true, fieldsFromQuery: query }),
    ApiConsumes('application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'),
  );

/** The route gets its body as the bytes that arrived (a Buffer), whatever they are: a signature is over nothing else. */
export const KeepsBytes = (): MethodDecorator => applyDecorators(RouteConfig({ keepsBytes: true }));

/** The route takes a CSV or XML file as its body, and gets it as the stream that arrives. */
export const TakesFile = (): MethodDecorator =>
  applyDecorators(RouteConfig({ takesFile: true }), ApiConsumes('text/csv', 'application/xml'));

export const requestMetaOf = (request: FastifyRequest): RequestMeta => {
  const idempotencyKey = idempotencyKeyOf(headerOf(request, 'idempotency-key'));
  const ifMatch = versionOfIfMatch(headerOf(request, 'if-match'));
  const cardFingerprint = headerOf(request, CARD_FINGERPRINT_HEADER);
  const swappedCard = headerOf(request, SWAPPED_CARD_HEADER);
  const forwardedFor = headerOf(request, 'x-forwarded-for');
  const clientCountry = headerOf(request, CLIENT_COUNTRY_HEADER);
  return {
    requestId: request.id,
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
    path: pathOf(request.url),
    query: { ...(request.query as Record<string, unknown>) },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(cardFingerprint === undefined ? {} : { cardFingerprint }),
    ...(swappedCard === undefined ? {} : { swappedCard }),
    ...(forwardedFor === undefined ? {} : { forwardedFor }),
    ...(clientCountry === undefined ? {} : { clientCountry }),
  };
};

/** The caller's own id where it is printable ASCII of at most 128 characters and no card number, else a fresh one. */
export const requestIdOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' &&
  header.length <= REQUEST_ID_LENGTH_MAX &&
  PRINTABLE_ASCII.test(header) &&
  !containsCardNumber(header)
    ? header
    : newId('req');

export const contextOf = (request: FastifyRequest): Context => {
  const traceparent = headerOf(request, 'traceparent');
  const correlation = headerOf(request, 'x-correlation-id');
  // The request's own id was looked at, or made, when it came.
  const correlationId = correlation === undefined ? request.id : requestIdOf(correlation);
  return {
    requestId: request.id,
    correlationId,
    causationId: request.id,
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
  };
};

/** Stored with the answer, so it must hold no card number either. */
const idempotencyKeyOf = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined;
  if (header.length > IDEMPOTENCY_KEY_LENGTH_MAX || !PRINTABLE_ASCII.test(header))
    throw unusableKey(`must be 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} printable ASCII characters`);
  if (containsCardNumber(header)) throw unusableKey('must not contain a card number');
  return header;
};

const unusableKey = (message: string): Problem =>
  new Problem('invalid_header', {
    detail: `Idempotency-Key ${message}.`,
    errors: [{ pointer: 'header:Idempotency-Key', code: 'invalid_header', message }],
  });

const headerOf = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

export const pathOf = (url: string): string => url.split('?', 1)[0] ?? url;
