import type { IncomingHttpHeaders } from 'node:http';

/** As much of a request as tells who is at its other end. */
export interface AddressedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Where the gateway tells the services from which country a client comes. */
export const CLIENT_COUNTRY_HEADER = 'x-payflow-client-country';

/** An IPv4 address that arrives on an IPv6 socket (RFC 4291 §2.5.5.2) is the IPv4 address. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Who is at the other end: the socket's peer, or, behind proxies we trust, the last address in X-Forwarded-For that is none
 * of them. What stands to the left of it was written by the client and means nothing.
 */
export const clientAddressOf = (request: AddressedRequest, trustedProxies: readonly string[]): string => {
  const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',');
  const hops = forwarded.split(',').map((hop) => plain(hop.trim()));
  let address = plain(request.socket.remoteAddress ?? '');
  while (trustedProxies.includes(address)) {
    const previous = hops.pop();
    if (previous === undefined || previous === '') break;
    address = previous;
  }
  return address;
};

/** ISO 3166-1 alpha-2. `XX` is how Cloudflare and others say that they do not know. */
const COUNTRY = /^(?!XX)[A-Z]{2}$/;

/**
 * The country that a proxy in front of us tells in this header. Undefined when the peer is no proxy that we trust: then it is
 * the client who says so, and he would say what suits him.
 */
export const clientCountryOf = (
  request: AddressedRequest,
  header: string | undefined,
  trustedProxies: readonly string[],
): string | undefined => {
  if (header === undefined || !trustedProxies.includes(plain(request.socket.remoteAddress ?? ''))) return undefined;
  const told = request.headers[header];
  return typeof told === 'string' && COUNTRY.test(told) ? told : undefined;
};
