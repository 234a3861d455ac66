import { isStaff, type Principal } from '@payflow/contracts';

/** Whom a token belongs to. At least one of the two is set. */
export interface Owner {
  readonly merchantId: string | null;
  readonly userId: string | null;
}

export type OwnershipRefusal = 'merchant_required' | 'merchant_not_found' | 'user_not_found';

/**
 * The owner of a token that this caller creates. A merchant's client binds it to its merchant and may name a user; a
 * customer binds it to himself and may name the merchant that may use it; staff names the merchant.
 */
export const ownerOf = (
  caller: Principal,
  named: { readonly merchantId?: string | undefined; readonly userId?: string | undefined },
): { readonly ok: true; readonly owner: Owner } | { readonly ok: false; readonly refusal: OwnershipRefusal } => {
  const merchantId = named.merchantId ?? null;
  const userId = named.userId ?? null;
  if (isStaff(caller)) {
    return merchantId === null
      ? { ok: false, refusal: 'merchant_required' }
      : { ok: true, owner: { merchantId, userId } };
  }
  if (caller.merchantId !== undefined) {
    return merchantId !== null && merchantId !== caller.merchantId
      ? { ok: false, refusal: 'merchant_not_found' }
      : { ok: true, owner: { merchantId: caller.merchantId, userId } };
  }
  if (caller.kind !== 'user') return { ok: false, refusal: 'merchant_required' };
  return userId !== null && userId !== caller.id
    ? { ok: false, refusal: 'user_not_found' }
    : { ok: true, owner: { merchantId, userId: caller.id } };
};

/** Which tokens a caller sees: all of them, or those that name this merchant or this user. */
export type Sight =
  | { readonly all: true }
  | { readonly all: false; readonly merchantId: string }
  | { readonly all: false; readonly userId: string };

export const sightOf = (caller: Principal): Sight => {
  if (isStaff(caller)) return { all: true };
  return caller.merchantId === undefined
    ? { all: false, userId: caller.id }
    : { all: false, merchantId: caller.merchantId };
};

export const sees = (sight: Sight, token: Owner): boolean => {
  if (sight.all) return true;
  return 'merchantId' in sight ? token.merchantId === sight.merchantId : token.userId === sight.userId;
};
