import { describe, expect, it } from '@jest/globals';
import type { Principal } from '@payflow/contracts';

import { ownerOf, sees, sightOf } from './ownership.js';

const client: Principal = { id: 'cli_a', kind: 'client', roles: ['merchant'], scopes: [], merchantId: 'mer_a' };
const customer: Principal = { id: 'usr_a', kind: 'user', roles: ['customer'], scopes: [] };
const admin: Principal = { id: 'usr_z', kind: 'user', roles: ['admin'], scopes: [] };
const stray: Principal = { id: 'cli_x', kind: 'client', roles: [], scopes: [] };

describe('the owner of a new token', () => {
  it.each<[string, Principal, Parameters<typeof ownerOf>[1], ReturnType<typeof ownerOf>]>([
    ['a merchant', client, {}, { ok: true, owner: { merchantId: 'mer_a', userId: null } }],
    ['a merchant for a user', client, { userId: 'u1' }, { ok: true, owner: { merchantId: 'mer_a', userId: 'u1' } }],
    [
      'a merchant that names itself',
      client,
      { merchantId: 'mer_a' },
      { ok: true, owner: { merchantId: 'mer_a', userId: null } },
    ],
    ['a merchant that names another', client, { merchantId: 'mer_b' }, { ok: false, refusal: 'merchant_not_found' }],
    ['a customer', customer, {}, { ok: true, owner: { merchantId: null, userId: 'usr_a' } }],
    [
      'a customer for a merchant',
      customer,
      { merchantId: 'mer_b' },
      { ok: true, owner: { merchantId: 'mer_b', userId: 'usr_a' } },
    ],
    ['a customer that names another', customer, { userId: 'usr_b' }, { ok: false, refusal: 'user_not_found' }],
    [
      'staff for a merchant',
      admin,
      { merchantId: 'mer_b', userId: 'u1' },
      { ok: true, owner: { merchantId: 'mer_b', userId: 'u1' } },
    ],
    ['staff for nobody', admin, {}, { ok: false, refusal: 'merchant_required' }],
    ['a client without a merchant', stray, { merchantId: 'mer_b' }, { ok: false, refusal: 'merchant_required' }],
  ])('%s', (_, caller, named, result) => {
    expect(ownerOf(caller, named)).toEqual(result);
  });
});

describe('who sees a token', () => {
  const token = { merchantId: 'mer_a', userId: 'usr_a' };
  it.each<[string, Principal, boolean]>([
    ['its merchant', client, true],
    ['its user', customer, true],
    ['staff', admin, true],
    ['another merchant', { ...client, merchantId: 'mer_b' }, false],
    ['another user', { ...customer, id: 'usr_b' }, false],
    ['a client without a merchant', stray, false],
  ])('%s: %s', (_, caller, seen) => {
    expect(sees(sightOf(caller), token)).toBe(seen);
  });
});
