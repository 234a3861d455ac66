import { API_KEY, type Role, type Scope } from '@payflow/contracts';
import type { Database } from '@payflow/postgres';

import { hashApiKey } from '../credentials/api-key.js';
import type { IssuedToken, TokenIssuer } from '../keys/token-issuer.js';
import { findUsableApiKey } from '../store/api-keys.js';
import type { ApiKeyUpkeep } from './api-key-upkeep.js';

export type ApiKeyTokenOutcome =
  | { readonly kind: 'issued'; readonly token: IssuedToken; readonly scopes: readonly Scope[] }
  | { readonly kind: 'invalid_key' };

const MERCHANT: readonly Role[] = ['merchant'];

/** A token in the name of the client behind the key; it names the key as well, and so ends with it. */
export const issueApiKeyToken = async (
  database: Database,
  tokens: TokenIssuer,
  upkeep: ApiKeyUpkeep,
  apiKey: string | undefined,
): Promise<ApiKeyTokenOutcome> => {
  if (apiKey === undefined || !API_KEY.test(apiKey)) return { kind: 'invalid_key' };
  // By its hash: an index finds it, and nothing about a wrong one can be measured (256 random bits).
  const key = await findUsableApiKey(database, hashApiKey(apiKey));
  if (!key) return { kind: 'invalid_key' };
  upkeep.use(key.id);
  const token = await tokens.issue({
    id: key.principalId,
    kind: 'client',
    clientId: key.id,
    roles: MERCHANT,
    scopes: key.scopes,
    merchantId: key.merchantId,
  });
  return { kind: 'issued', token, scopes: key.scopes };
};
