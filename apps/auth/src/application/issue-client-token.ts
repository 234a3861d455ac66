import type { Scope } from '@payflow/contracts';
import type { Database } from '@payflow/postgres';

import type { ClientCredentials } from '../credentials/client-credentials.js';
import { clientSecretMatches, UNKNOWN_CLIENT_HASH } from '../credentials/client-secret.js';
import { narrowScopes } from '../domain/scopes.js';
import type { TokenIssuer, IssuedToken } from '../keys/token-issuer.js';
import { findActiveClient } from '../store/oauth-clients.js';

export type ClientTokenOutcome =
  | { readonly kind: 'issued'; readonly token: IssuedToken; readonly scopes: readonly Scope[] }
  | { readonly kind: 'invalid_client' }
  | { readonly kind: 'invalid_scope'; readonly refused: readonly string[] };

/** OAuth 2.0 client credentials (RFC 6749 §4.4). */
export const issueClientToken = async (
  database: Database,
  tokens: TokenIssuer,
  request: { readonly credentials: ClientCredentials; readonly scope: string | undefined },
): Promise<ClientTokenOutcome> => {
  const client = await findActiveClient(database, request.credentials.clientId);
  const { clientSecret } = request.credentials;
  const matches = clientSecretMatches(clientSecret, client?.secretHash ?? UNKNOWN_CLIENT_HASH);
  const matchesPrevious = clientSecretMatches(clientSecret, client?.previousSecretHash ?? UNKNOWN_CLIENT_HASH);
  if (!client || !(matches || matchesPrevious)) return { kind: 'invalid_client' };
  const decision = narrowScopes(client.scopes, request.scope);
  if (!decision.ok) return { kind: 'invalid_scope', refused: decision.refused };
  const { id, kind, roles, merchantId } = client;
  const token = await tokens.issue({ id, kind, clientId: id, roles, scopes: decision.scopes, merchantId });
  return { kind: 'issued', token, scopes: decision.scopes };
};
