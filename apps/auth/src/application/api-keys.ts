import { Injectable } from '@nestjs/common';
import type { AuditAction, CreateApiKeyRequest, Scope } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';

import { hashApiKey, hintOf, newApiKeySecret } from '../credentials/api-key.js';
import { beyond, grantableBy } from '../domain/scopes.js';
import { TokenIssuer } from '../keys/token-issuer.js';
import { type ApiKey, findApiKey, insertApiKey, lockApiKey, revokeApiKey, setApiKeyExpiry } from '../store/api-keys.js';
import { appendAudit } from '../store/audit-log.js';
import { lockMerchant } from '../store/merchants.js';
import { revoke } from '../store/revocations.js';
import type { Actor } from './actor.js';

export interface CreatedApiKey {
  readonly key: ApiKey;
  /** The only time it is seen: the database has its hash. */
  readonly secret: string;
}

export type CreateApiKeyOutcome =
  | { readonly kind: 'created'; readonly created: CreatedApiKey }
  | { readonly kind: 'merchant_not_found' }
  | { readonly kind: 'expired_before_use' }
  | { readonly kind: 'scopes_beyond_caller'; readonly refused: readonly Scope[] };

export type RollApiKeyOutcome =
  | { readonly kind: 'rolled'; readonly created: CreatedApiKey }
  | { readonly kind: 'api_key_not_found' }
  | { readonly kind: 'api_key_revoked' }
  | { readonly kind: 'scopes_beyond_caller'; readonly refused: readonly Scope[] };

const MS_PER_SECOND = 1_000;

/** Keys with which a merchant's own servers call the API. */
@Injectable()
export class ApiKeys {
  constructor(private readonly tokens: TokenIssuer) {}

  /** With what the caller may hand on, or fewer scopes: a narrow key must not make itself a wide one. */
  async create(tx: Tx, actor: Actor, merchantId: string, command: CreateApiKeyRequest): Promise<CreateApiKeyOutcome> {
    if (!(await lockMerchant(tx, merchantId))) return { kind: 'merchant_not_found' };
    const grantable = grantableBy(actor.principal);
    const scopes = command.scopes === undefined ? grantable : [...new Set(command.scopes)];
    const refused = beyond(actor.principal, scopes);
    if (refused.length > 0) return { kind: 'scopes_beyond_caller', refused };
    const expiresAt = command.expiresAt === undefined ? null : new Date(command.expiresAt);
    if (expiresAt !== null && expiresAt <= new Date()) return { kind: 'expired_before_use' };
    const created = await this.insert(tx, {
      merchantId,
      principalId: newId('cli'),
      name: command.name,
      scopes,
      expiresAt,
    });
    await this.log(tx, actor, 'api_key.created', created.key.id, { merchantId, scopes });
    return { kind: 'created', created };
  }

  /**
   * A new key in the same name; the old one works on for a while, but never longer than it would have. Its secret may do what
   * the old one's may: nobody gets one that may do more than he may himself.
   */
  async roll(
    tx: Tx,
    actor: Actor,
    key: { readonly merchantId: string; readonly id: string },
    overlapSeconds: number,
  ): Promise<RollApiKeyOutcome> {
    const old = await lockApiKey(tx, key.merchantId, key.id);
    if (!old) return { kind: 'api_key_not_found' };
    const now = new Date();
    if (old.revokedAt !== null || (old.expiresAt !== null && old.expiresAt <= now)) return { kind: 'api_key_revoked' };
    const { merchantId, principalId, name, scopes, expiresAt } = old;
    const refused = beyond(actor.principal, scopes);
    if (refused.length > 0) return { kind: 'scopes_beyond_caller', refused };
    const created = await this.insert(tx, { merchantId, principalId, name, scopes, expiresAt });
    await this.log(tx, actor, 'api_key.rolled', old.id, { merchantId, successor: created.key.id, overlapSeconds });
    const end = new Date(now.getTime() + overlapSeconds * MS_PER_SECOND);
    if (overlapSeconds === 0) await this.end(tx, old.id);
    else if (old.expiresAt === null || old.expiresAt > end) await setApiKeyExpiry(tx, old.id, end);
    return { kind: 'rolled', created };
  }

  /** @returns the key as it is now; undefined when the merchant has no such key */
  async revoke(tx: Tx, actor: Actor, merchantId: string, id: string): Promise<ApiKey | undefined> {
    const key = await lockApiKey(tx, merchantId, id);
    if (key?.revokedAt === null) {
      await this.log(tx, actor, 'api_key.revoked', id, { merchantId });
      await this.end(tx, id);
    }
    return key && (await findApiKey(tx, merchantId, id));
  }

  private async end(tx: Tx, id: string): Promise<void> {
    if (await revokeApiKey(tx, id)) await revoke(tx, id, this.tokens.lastExpiry());
  }

  private async insert(
    tx: Tx,
    fields: Pick<ApiKey, 'merchantId' | 'principalId' | 'name' | 'scopes' | 'expiresAt'>,
  ): Promise<CreatedApiKey> {
    const secret = newApiKeySecret();
    const key: ApiKey = {
      ...fields,
      id: newId('apk'),
      hint: hintOf(secret),
      createdAt: new Date(),
      lastUsedAt: null,
      revokedAt: null,
    };
    await insertApiKey(tx, key, hashApiKey(secret));
    return { key, secret };
  }

  private async log(tx: Tx, actor: Actor, action: AuditAction, target: string, details: object): Promise<void> {
    const { principal, requestId } = actor;
    await appendAudit(tx, { actor: principal.id, action, target, requestId, details: { ...details } });
  }
}
