import { isStaff, type Principal } from '@payflow/contracts';
import { isId, type MerchantId } from '@payflow/kernel';
import { Problem } from '@payflow/service';

import type { Visibility } from '../store/conditions.js';

/** Whose objects this caller sees. Staff see all, a merchant's client its merchant's, a person the ones he pays. */
export const visibilityOf = (principal: Principal): Visibility => {
  if (isStaff(principal)) return { of: 'everyone' };
  if (principal.merchantId !== undefined) return { of: 'merchant', merchantId: principal.merchantId };
  return { of: 'payer', userId: principal.id };
};

export const sees = (
  principal: Principal,
  owned: { readonly merchantId: string; readonly userId: string | null },
): boolean => {
  const visibility = visibilityOf(principal);
  if (visibility.of === 'everyone') return true;
  return visibility.of === 'merchant' ? owned.merchantId === visibility.merchantId : owned.userId === visibility.userId;
};

/**
 * The merchant a new payment belongs to: the caller's own, or the one that staff name.
 *
 * @throws Problem insufficient_scope when a merchant names another, merchant_required when nobody is named
 */
export const merchantFor = (principal: Principal, named: string | undefined): MerchantId => {
  const own = principal.merchantId;
  if (named !== undefined && named !== own && !isStaff(principal))
    throw new Problem('insufficient_scope', {
      detail: 'Only staff act for another merchant.',
      errors: [{ pointer: '/merchantId', code: 'not_yours', message: 'is not the merchant you act for' }],
    });
  const merchantId = named ?? own;
  if (merchantId === undefined || !isId('mer', merchantId)) throw new Problem('merchant_required');
  return merchantId;
};
