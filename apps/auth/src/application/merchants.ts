import type { Principal, Role, Scope } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';

import { hashClientSecret, newClientSecret } from '../credentials/client-secret.js';
import { scopesOfRoles } from '../domain/scopes.js';
import { appendAudit } from '../store/audit-log.js';
import { newPublishableKey } from '../credentials/publishable-key.js';
import { findMerchant, insertMerchant, type Merchant } from '../store/merchants.js';
import { insertClient } from '../store/oauth-clients.js';
import { insertPublishableKey } from '../store/publishable-keys.js';

export interface Actor {
  readonly principal: Principal;
  readonly requestId: string;
}

export const createMerchant = async (
  tx: Tx,
  actor: Actor,
  command: { readonly id: string; readonly name: string },
): Promise<{ readonly merchant: Merchant; readonly publishableKey: string }> => {
  const merchant: Merchant = { id: command.id, name: command.name, status: 'ACTIVE', createdAt: new Date() };
  const publishableKey = newPublishableKey();
  await insertMerchant(tx, merchant);
  await insertPublishableKey(tx, publishableKey, merchant.id);
  await appendAudit(tx, {
    actor: actor.principal.id,
    action: 'merchant.created',
    target: merchant.id,
    requestId: actor.requestId,
    details: { name: merchant.name },
  });
  return { merchant, publishableKey };
};

export interface CreatedClient {
  readonly clientId: string;
  /** The only time it is seen: the database has its hash. */
  readonly clientSecret: string;
  readonly merchantId: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
}

export type CreateClientOutcome =
  | { readonly kind: 'created'; readonly client: CreatedClient }
  | { readonly kind: 'merchant_not_found' }
  | { readonly kind: 'scopes_beyond_role'; readonly refused: readonly Scope[] };

const CLIENT_ROLES: readonly Role[] = ['merchant'];

/** A client that acts for a merchant, with all of a merchant's scopes or fewer. */
export const createClient = async (
  tx: Tx,
  actor: Actor,
  command: { readonly merchantId: string; readonly scopes: readonly Scope[] | undefined },
): Promise<CreateClientOutcome> => {
  if (!(await findMerchant(tx, command.merchantId))) return { kind: 'merchant_not_found' };
  const grantable = scopesOfRoles(CLIENT_ROLES);
  const scopes = command.scopes === undefined ? grantable : [...new Set(command.scopes)];
  const refused = scopes.filter((scope) => !grantable.includes(scope));
  if (refused.length > 0) return { kind: 'scopes_beyond_role', refused };
  const client: CreatedClient = {
    clientId: newId('cli'),
    clientSecret: newClientSecret(),
    merchantId: command.merchantId,
    roles: CLIENT_ROLES,
    scopes,
    createdAt: new Date(),
  };
  await insertClient(tx, {
    id: client.clientId,
    secretHash: hashClientSecret(client.clientSecret),
    merchantId: client.merchantId,
    kind: 'client',
    roles: client.roles,
    scopes: client.scopes,
    createdAt: client.createdAt,
  });
  await appendAudit(tx, {
    actor: actor.principal.id,
    action: 'client.created',
    target: client.clientId,
    requestId: actor.requestId,
    details: { merchantId: client.merchantId, scopes },
  });
  return { kind: 'created', client };
};
