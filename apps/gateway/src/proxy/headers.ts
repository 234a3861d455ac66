import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

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

const DROPPED_FROM_REQUEST = new Set([...HOP_BY_HOP, ...OURS]);
/** CORS, security headers and the request id are the gateway's own. */
const DROPPED_FROM_ANSWER = new Set([...HOP_BY_HOP, 'server', 'x-powered-by', 'x-request-id']);
const DROPPED_FROM_ANSWER_BEGIN_WITH = ['access-control-', 'ratelimit'];

/** W3C Trace Context §3.2.2: version 00, a trace id and a parent id that are not all zeros. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export interface ForwardedRequest {
  readonly requestId: string;
  readonly clientAddress: string;
  readonly protocol: string;
  readonly hasBody: boolean;
  /** Headers of our own, such as the fingerprint of a swapped card. */
  readonly added: Readonly<Record<string, string>>;
}

/** The headers a service gets. `host`, `content-length` and `content-type` are the proxy's already. */
export const requestHeaders = (headers: IncomingHttpHeaders, request: ForwardedRequest): IncomingHttpHeaders => {
  const kept = Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !DROPPED_FROM_REQUEST.has(name) && !OURS_BEGIN_WITH.some((prefix) => name.startsWith(prefix)),
    ),
  );
  // A GET with a body: the body is not read, so it must not be announced either.
  if (!request.hasBody) {
    delete kept['content-length'];
    delete kept['content-type'];
  }
  const { traceparent, tracestate } = headers;
  const traced = typeof traceparent === 'string' && TRACEPARENT.test(traceparent);
  delete kept['tracestate'];
  return {
    ...kept,
    ...(traced && tracestate !== undefined ? { tracestate } : {}),
    traceparent: traced ? traceparent : newTraceparent(),
    'x-request-id': request.requestId,
    'x-forwarded-for': request.clientAddress,
    'x-forwarded-proto': request.protocol,
    ...request.added,
  };
};

const newTraceparent = (): string => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;

/** The headers of a service's answer that reach the client. */
export const answerHeaders = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) =>
        !DROPPED_FROM_ANSWER.has(name) &&
        !named.has(name) &&
        !DROPPED_FROM_ANSWER_BEGIN_WITH.some((prefix) => name.startsWith(prefix)),
    ),
  );
};
