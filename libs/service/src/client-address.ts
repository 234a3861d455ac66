import type { IncomingHttpHeaders } from 'node:http';

/** As much of a request as tells who is at its other end. */
export interface AddressedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

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
