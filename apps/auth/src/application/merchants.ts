import type { AuditAction, Role, Scope } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';

import { hashClientSecret, newClientSecret } from '../credentials/client-secret.js';
import { beyond, grantableBy } from '../domain/scopes.js';
import { appendAudit } from '../store/audit-log.js';
import { newPublishableKey } from '../credentials/publishable-key.js';
import {
  findMerchant,
  insertMerchant,
  lockMerchant,
  type Merchant,
  setMerchantName,
  setMerchantStatus,
} from '../store/merchants.js';
import {
  clientsOf,
  disableClient,
  insertClient,
  type ListedClient,
  replaceClientSecret,
} from '../store/oauth-clients.js';
import {
  disablePublishableKey,
  insertPublishableKey,
  type PublishableKey,
  publishableKeysOf,
} from '../store/publishable-keys.js';
import { lift, revoke } from '../store/revocations.js';
import type { Actor } from './actor.js';

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
  | { readonly kind: 'scopes_beyond_caller'; readonly refused: readonly Scope[] };

const CLIENT_ROLES: readonly Role[] = ['merchant'];

/** A client that acts for a merchant, with all that the caller may hand on or fewer. */
export const createClient = async (
  tx: Tx,
  actor: Actor,
  command: { readonly merchantId: string; readonly scopes: readonly Scope[] | undefined },
): Promise<CreateClientOutcome> => {
  if (!(await findMerchant(tx, command.merchantId))) return { kind: 'merchant_not_found' };
  const grantable = grantableBy(actor.principal);
  const scopes = command.scopes === undefined ? grantable : [...new Set(command.scopes)];
  const refused = beyond(actor.principal, scopes);
  if (refused.length > 0) return { kind: 'scopes_beyond_caller', refused };
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

const log = async (tx: Tx, actor: Actor, action: AuditAction, target: string, details: object): Promise<void> => {
  const { principal, requestId } = actor;
  await appendAudit(tx, { actor: principal.id, action, target, requestId, details: { ...details } });
};

/** @returns undefined when there is no such merchant */
export const renameMerchant = async (tx: Tx, actor: Actor, id: string, name: string): Promise<Merchant | undefined> => {
  const merchant = await lockMerchant(tx, id);
  if (!merchant || merchant.name === name) return merchant;
  await setMerchantName(tx, id, name);
  await log(tx, actor, 'merchant.changed', id, { from: merchant.name, to: name });
  return { ...merchant, name };
};

/**
 * Nobody acts for a blocked merchant: neither its clients and keys nor its people, whose tokens name it.
 *
 * @returns undefined when there is no such merchant
 */
export const blockMerchant = async (
  tx: Tx,
  actor: Actor,
  command: { readonly id: string; readonly reason: string; readonly until: Date },
): Promise<Merchant | undefined> => {
  const { id, reason, until } = command;
  const merchant = await lockMerchant(tx, id);
  if (!merchant || merchant.status === 'BLOCKED') return merchant;
  await setMerchantStatus(tx, id, 'BLOCKED');
  await log(tx, actor, 'merchant.blocked', id, { reason });
  await revoke(tx, id, until);
  return { ...merchant, status: 'BLOCKED' };
};

/** @returns undefined when there is no such merchant */
export const unblockMerchant = async (tx: Tx, actor: Actor, id: string): Promise<Merchant | undefined> => {
  const merchant = await lockMerchant(tx, id);
  if (!merchant || merchant.status === 'ACTIVE') return merchant;
  await setMerchantStatus(tx, id, 'ACTIVE');
  await log(tx, actor, 'merchant.unblocked', id, {});
  await lift(tx, id);
  return { ...merchant, status: 'ACTIVE' };
};

/** @returns the client as it is now; undefined when the merchant has no such client */
export const disableMerchantClient = async (
  tx: Tx,
  actor: Actor,
  client: { readonly merchantId: string; readonly id: string },
  until: Date,
): Promise<ListedClient | undefined> => {
  const before = (await clientsOf(tx, client.merchantId)).find(({ id }) => id === client.id);
  const disabled = await disableClient(tx, client.merchantId, client.id);
  if (!disabled || before?.disabledAt !== null) return disabled;
  await log(tx, actor, 'client.disabled', client.id, { merchantId: client.merchantId });
  await revoke(tx, client.id, until);
  return disabled;
};

const MS_PER_SECOND = 1_000;

export type RotateSecretOutcome =
  | { readonly kind: 'rotated'; readonly client: ListedClient; readonly secret: string }
  | { readonly kind: 'client_not_found' }
  | { readonly kind: 'scopes_beyond_caller'; readonly refused: readonly Scope[] };

/** A new secret, for whoever may do all that the client may; the old one works on for a while. */
export const rotateClientSecret = async (
  tx: Tx,
  actor: Actor,
  client: { readonly merchantId: string; readonly id: string },
  overlapSeconds: number,
): Promise<RotateSecretOutcome> => {
  const secret = newClientSecret();
  const until = new Date(Date.now() + overlapSeconds * MS_PER_SECOND);
  const rotated = await replaceClientSecret(tx, client, hashClientSecret(secret), until);
  if (!rotated) return { kind: 'client_not_found' };
  // Undone with the transaction: a refusal is no answer that leaves anything behind.
  const refused = beyond(actor.principal, rotated.scopes);
  if (refused.length > 0) return { kind: 'scopes_beyond_caller', refused };
  await log(tx, actor, 'client.secret_rotated', client.id, { merchantId: client.merchantId, overlapSeconds });
  return { kind: 'rotated', client: rotated, secret };
};

/** One more, or undefined when there is no such merchant. */
export const addPublishableKey = async (
  tx: Tx,
  actor: Actor,
  merchantId: string,
): Promise<PublishableKey | undefined> => {
  if (!(await lockMerchant(tx, merchantId))) return undefined;
  const key = newPublishableKey();
  await insertPublishableKey(tx, key, merchantId);
  await log(tx, actor, 'publishable_key.created', key, { merchantId });
  return (await publishableKeysOf(tx, merchantId)).find((one) => one.key === key);
};

/** @returns the key as it is now; undefined when the merchant has no such key */
export const disableMerchantPublishableKey = async (
  tx: Tx,
  actor: Actor,
  publishableKey: { readonly merchantId: string; readonly key: string },
  until: Date,
): Promise<PublishableKey | undefined> => {
  const { merchantId, key } = publishableKey;
  const before = (await publishableKeysOf(tx, merchantId)).find((one) => one.key === key);
  const disabled = await disablePublishableKey(tx, merchantId, key);
  if (!disabled || before?.disabledAt !== null) return disabled;
  await log(tx, actor, 'publishable_key.disabled', key, { merchantId });
  await revoke(tx, key, until);
  return disabled;
};
