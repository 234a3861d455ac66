/** Who asks at the token endpoint. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export type CredentialsFound =
  | { readonly kind: 'found'; readonly credentials: ClientCredentials }
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed'; readonly reason: string };

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined and put in base64. */
const formDecoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
};

const fromBasic = (header: string): CredentialsFound => {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  if (encoded === undefined) return { kind: 'malformed', reason: 'the Authorization header is not HTTP Basic' };
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) return { kind: 'malformed', reason: 'the Basic credentials have no colon' };
  const clientId = formDecoded(decoded.slice(0, colon));
  const clientSecret = formDecoded(decoded.slice(colon + 1));
  if (clientId === undefined || clientSecret === undefined)
    return { kind: 'malformed', reason: 'the Basic credentials are not form-encoded' };
  return { kind: 'found', credentials: { clientId, clientSecret } };
};

/** The credentials of a token request: HTTP Basic or members of the body, and never both (RFC 6749 §2.3). */
export const clientCredentialsOf = (
  authorization: string | undefined,
  body: { readonly client_id?: string | undefined; readonly client_secret?: string | undefined },
): CredentialsFound => {
  if (authorization !== undefined) {
    if (body.client_secret !== undefined)
      return { kind: 'malformed', reason: 'use one way to authenticate the client, not two' };
    const found = fromBasic(authorization);
    if (found.kind === 'found' && body.client_id !== undefined && body.client_id !== found.credentials.clientId)
      return { kind: 'malformed', reason: 'client_id differs from the one in the Authorization header' };
    return found;
  }
  if (body.client_id === undefined || body.client_secret === undefined) return { kind: 'missing' };
  return { kind: 'found', credentials: { clientId: body.client_id, clientSecret: body.client_secret } };
};
