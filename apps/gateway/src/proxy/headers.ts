import { randomFillSync } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { CLIENT_COUNTRY_HEADER } from '@payflow/service';

/** What belongs to one connection and not to the message (RFC 9110 §7.6.1), and what a proxy answers for itself. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
];

/** What only we may say to a service: who the client is, that a card was swapped, which request this belongs to. */
const OURS = ['forwarded', 'x-real-ip', 'x-request-id', 'x-correlation-id', 'cookie'];
const OURS_BEGIN_WITH = ['x-forwarded-', 'x-payflow-', 'payflow-'];

/** `tracestate` goes with a valid `traceparent` only. */
const DROPPED_FROM_REQUEST = new Set([...HOP_BY_HOP, ...OURS, 'host', 'content-length', 'tracestate']);
/** CORS, security headers and the request id are the gateway's own. */
const DROPPED_FROM_ANSWER = new Set([...HOP_BY_HOP, 'server', 'x-powered-by', 'x-request-id']);
const DROPPED_FROM_ANSWER_BEGIN_WITH = ['access-control-', 'ratelimit'];

/** W3C Trace Context §3.2.2: version 00, a trace id and a parent id that are not all zeros. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export interface ForwardedRequest {
  readonly requestId: string;
  readonly clientAddress: string;
  readonly clientCountry: string | undefined;
  readonly protocol: string;
  readonly hasBody: boolean;
  /** Headers of our own, such as the fingerprint of a swapped card. */
  readonly added: Readonly<Record<string, string>>;
}

/** The headers a service gets; the connection adds `host` and `content-length`. */
export const requestHeaders = (headers: IncomingHttpHeaders, request: ForwardedRequest): IncomingHttpHeaders => {
  const named = namedBy(headers.connection);
  const sent: IncomingHttpHeaders = {};
  for (const name in headers) if (isForService(name, request.hasBody) && !named?.has(name)) sent[name] = headers[name];
  const { traceparent, tracestate } = headers;
  const traced = typeof traceparent === 'string' && TRACEPARENT.test(traceparent);
  if (traced && tracestate !== undefined) sent['tracestate'] = tracestate;
  sent['traceparent'] = traced ? traceparent : newTraceparent();
  sent['x-request-id'] = request.requestId;
  sent['x-forwarded-for'] = request.clientAddress;
  sent['x-forwarded-proto'] = request.protocol;
  if (request.clientCountry !== undefined) sent[CLIENT_COUNTRY_HEADER] = request.clientCountry;
  return Object.assign(sent, request.added);
};

const isForService = (name: string, hasBody: boolean): boolean => {
  if (DROPPED_FROM_REQUEST.has(name) || OURS_BEGIN_WITH.some((prefix) => name.startsWith(prefix))) return false;
  // A GET with a body: the body is not read, so it must not be announced either.
  return hasBody || name !== 'content-type';
};

/** What a Connection header says belongs to the connection too (RFC 9110 §7.6.1). */
const namedBy = (connection: string | undefined): ReadonlySet<string> | undefined =>
  connection === undefined || connection === 'keep-alive' || connection === 'close'
    ? undefined
    : new Set(connection.split(',').map((name) => name.trim().toLowerCase()));

const ID_BYTES = 24;
/** Fetched for so many requests at once: a call for each costs 7 µs. */
const POOL_BYTES = 128 * ID_BYTES;
const pool = Buffer.alloc(POOL_BYTES);
let poolUsed = POOL_BYTES;

const newTraceparent = (): string => {
  if (poolUsed === POOL_BYTES) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const ids = pool.toString('hex', poolUsed, poolUsed + ID_BYTES);
  poolUsed += ID_BYTES;
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`;
};

/** The headers of a service's answer that reach the client. */
export const answerHeaders = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
  const named = namedBy(headers.connection);
  const passed: IncomingHttpHeaders = {};
  for (const name in headers) {
    if (DROPPED_FROM_ANSWER.has(name) || named?.has(name)) continue;
    if (!DROPPED_FROM_ANSWER_BEGIN_WITH.some((prefix) => name.startsWith(prefix))) passed[name] = headers[name];
  }
  return passed;
};
