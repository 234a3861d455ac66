import { PUBLISHABLE_KEY, type Role, type Scope } from '@payflow/contracts';
import type { Database } from '@payflow/postgres';

import { scopesOfRoles } from '../domain/scopes.js';
import type { IssuedToken, TokenIssuer } from '../keys/token-issuer.js';
import { findMerchantByPublishableKey } from '../store/publishable-keys.js';

export type PayerTokenOutcome =
  | { readonly kind: 'issued'; readonly token: IssuedToken; readonly scopes: readonly Scope[] }
  | { readonly kind: 'invalid_key' };

const PAYER: readonly Role[] = ['payer'];

/** A token for the browser of a payer: enough to put a card into the vault and to confirm with a client secret. */
export const issuePayerToken = async (
  database: Database,
  tokens: TokenIssuer,
  publishableKey: string | undefined,
): Promise<PayerTokenOutcome> => {
  if (publishableKey === undefined || !PUBLISHABLE_KEY.test(publishableKey)) return { kind: 'invalid_key' };
  const merchantId = await findMerchantByPublishableKey(database, publishableKey);
  if (merchantId === undefined) return { kind: 'invalid_key' };
  const scopes = scopesOfRoles(PAYER);
  const token = await tokens.issue({
    id: publishableKey,
    kind: 'client',
    clientId: publishableKey,
    roles: PAYER,
    scopes,
    merchantId,
  });
  return { kind: 'issued', token, scopes };
};
