/** The services that have public routes. */
export const UPSTREAMS = [
  'auth',
  'payment',
  'tokenization',
  'ledger',
  'wallet',
  'fraud',
  'notification',
  'settlement',
  'acquirer-sim',
] as const;
export type Upstream = (typeof UPSTREAMS)[number];

/** Which bucket a caller draws from: his own, or the narrow one in front of passwords and client secrets. */
export type Bucket = 'client' | 'credentials';

export interface Route {
  /** Segments; `{name}` stands for any one, `txn_{name}` for one that begins so. Everything below belongs to the route too. */
  readonly pattern: string;
  /** One service, or the one that the segment `{service}` names. */
  readonly service: Upstream | 'named';
  /** Public: no token asked here. Each service still decides for itself. */
  readonly public?: true;
  readonly bucket?: Bucket;
  readonly bodyBytesMax?: number;
  /** Takes an inline card, which is swapped for a token: with this as the last segment, or `''` for the route itself. */
  readonly swapsCardAt?: readonly string[];
  /** A POST to the route itself with this in its query goes to another service (ADR 0015). */
  readonly elsewhere?: { readonly query: string; readonly service: Upstream };
}

export const BODY_BYTES_MAX = 100 * 1024;
/** A thousand transactions at once, with metadata. */
const LEDGER_BATCH_BYTES_MAX = 1024 * 1024;
/** An acquirer's report of a hundred thousand lines has half of it. */
const REPORT_BYTES_MAX = 32 * 1024 * 1024;

/** What is reachable from outside, and nothing else is. The longest pattern that matches wins. */
export const ROUTES: readonly Route[] = [
  { pattern: '/oauth', service: 'auth', public: true, bucket: 'credentials' },
  { pattern: '/auth', service: 'auth' },
  { pattern: '/auth/register', service: 'auth', public: true, bucket: 'credentials' },
  { pattern: '/auth/login', service: 'auth', public: true, bucket: 'credentials' },
  { pattern: '/auth/refresh', service: 'auth', public: true, bucket: 'credentials' },
  { pattern: '/auth/verify', service: 'auth', public: true, bucket: 'credentials' },
  { pattern: '/auth/password', service: 'auth', bucket: 'credentials' },
  { pattern: '/auth/password/forgot', service: 'auth', public: true, bucket: 'credentials' },
  { pattern: '/auth/password/reset', service: 'auth', public: true, bucket: 'credentials' },
  { pattern: '/auth/2fa', service: 'auth', bucket: 'credentials' },
  // What a demo told whom; 404 elsewhere.
  { pattern: '/dev/mailbox', service: 'notification', public: true },
  { pattern: '/.well-known', service: 'auth', public: true },
  { pattern: '/me', service: 'auth' },
  { pattern: '/merchants', service: 'auth' },
  { pattern: '/merchants/{merchantId}/fee-terms', service: 'payment' },
  { pattern: '/merchants/{merchantId}/fraud-policy', service: 'payment' },
  {
    pattern: '/payments',
    service: 'payment',
    swapsCardAt: ['', 'authorize', 'confirm', 'process'],
    elsewhere: { query: 'fromUser', service: 'wallet' },
  },
  // Between two users' wallets: its id is that of the wallet transaction that it becomes.
  { pattern: '/payments/txn_{transfer}', service: 'wallet', swapsCardAt: ['process'] },
  // Where a payer's browser comes back to, without credentials; the page says how the payment stands and nothing else.
  { pattern: '/payments/{paymentId}/return', service: 'payment', public: true },
  // Signed by the payment provider, not authenticated by a token.
  { pattern: '/webhook', service: 'payment', public: true },
  { pattern: '/webhooks/psp/{provider}', service: 'payment', public: true },
  { pattern: '/refunds', service: 'payment' },
  { pattern: '/payment-exceptions', service: 'payment' },
  { pattern: '/routing', service: 'payment' },
  { pattern: '/users', service: 'auth' },
  { pattern: '/users/{userId}/payments', service: 'payment' },
  { pattern: '/audit-log', service: 'auth' },
  { pattern: '/tokens', service: 'tokenization' },
  { pattern: '/ledger', service: 'ledger' },
  { pattern: '/ledger/transactions', service: 'ledger', bodyBytesMax: LEDGER_BATCH_BYTES_MAX },
  { pattern: '/balance', service: 'settlement' },
  { pattern: '/wallets', service: 'wallet' },
  { pattern: '/wallet', service: 'wallet' },
  { pattern: '/wallet/add', service: 'wallet', swapsCardAt: [''] },
  { pattern: '/wallet-exceptions', service: 'wallet' },
  { pattern: '/holds', service: 'wallet' },
  { pattern: '/transactions', service: 'wallet' },
  { pattern: '/disputes', service: 'payment' },
  { pattern: '/fraud', service: 'fraud' },
  { pattern: '/webhook-endpoints', service: 'notification' },
  { pattern: '/events', service: 'notification' },
  { pattern: '/notifications', service: 'notification' },
  { pattern: '/settlements', service: 'settlement' },
  { pattern: '/payouts', service: 'settlement' },
  { pattern: '/reconciliation', service: 'settlement' },
  { pattern: '/reconciliation/reports', service: 'settlement', bodyBytesMax: REPORT_BYTES_MAX },
  { pattern: '/merchants/{merchantId}/payout-account', service: 'settlement' },
  { pattern: '/merchants/{merchantId}/reserve-rule', service: 'settlement' },
  { pattern: '/test-cards', service: 'acquirer-sim', public: true },
  { pattern: '/test-bank-accounts', service: 'acquirer-sim', public: true },
  { pattern: '/operations/{service}/dead-letters', service: 'named' },
];

export interface Match {
  readonly route: Route;
  readonly upstream: Upstream;
  /** The path at the service. */
  readonly segments: readonly string[];
  readonly swapsCard: boolean;
}

/** A segment of a pattern: a text, or how a segment begins. */
interface Part {
  readonly text: string;
  readonly isPrefix: boolean;
}

const partOf = (segment: string): Part => {
  const [text = '', name] = segment.split('{');
  return { text, isPrefix: name !== undefined };
};

const suits = ({ text, isPrefix }: Part, segment: string): boolean =>
  isPrefix ? segment.startsWith(text) : segment === text;

const matches = (parts: readonly Part[], segments: readonly string[]): boolean =>
  parts.length <= segments.length && parts.every((part, index) => suits(part, segments[index] ?? ''));

const isUpstream = (text: string | undefined): text is Upstream => UPSTREAMS.some((service) => service === text);

/** Longest pattern first. Split once and not at each request. */
const SORTED = ROUTES.map((route) => ({ route, parts: route.pattern.slice(1).split('/').map(partOf) })).sort(
  (a, b) => b.parts.length - a.parts.length,
);

/** The route of a request, or undefined when there is none. */
export const matchRoute = (method: string, segments: readonly string[], query = ''): Match | undefined => {
  const found = SORTED.find(({ parts }) => matches(parts, segments));
  if (!found) return undefined;
  const { route } = found;
  const below = segments.slice(found.parts.length);
  if (route.service !== 'named')
    return {
      route,
      upstream: isElsewhere(route, method, below, query) ? route.elsewhere.service : route.service,
      segments,
      swapsCard: method === 'POST' && route.swapsCardAt?.includes(below.at(-1) ?? '') === true,
    };
  const upstream = segments[1];
  if (!isUpstream(upstream)) return undefined;
  // /operations/ledger/dead-letters/… is /operations/dead-letters/… at the ledger.
  return { route, upstream, segments: [...segments.slice(0, 1), ...segments.slice(2)], swapsCard: false };
};

const isElsewhere = (
  route: Route,
  method: string,
  below: readonly string[],
  query: string,
): route is Route & Required<Pick<Route, 'elsewhere'>> =>
  route.elsewhere !== undefined &&
  method === 'POST' &&
  below.length === 0 &&
  new URLSearchParams(query).has(route.elsewhere.query);
