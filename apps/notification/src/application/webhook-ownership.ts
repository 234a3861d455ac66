import { isStaff, type Principal } from '@payflow/contracts';
import { Problem } from '@payflow/service';

/** Whether this caller may see what is this merchant's. */
export const sees = (principal: Principal, merchantId: string): boolean =>
  isStaff(principal) || principal.merchantId === merchantId;

/**
 * The merchant that a request is about: the caller's own, or the one that staff name.
 *
 * @throws Problem insufficient_scope when a merchant names another, merchant_required when nobody is named
 */
export const merchantFor = (principal: Principal, named: string | undefined): string => {
  const own = principal.merchantId;
  if (named !== undefined && named !== own && !isStaff(principal))
    throw new Problem('insufficient_scope', { detail: 'Only staff act for another merchant.' });
  const merchantId = named ?? own;
  if (merchantId === undefined) throw new Problem('merchant_required');
  return merchantId;
};

/** Whose a list is: of one merchant, or for staff who name none, of all (undefined). @throws as {@link merchantFor} */
export const listedMerchant = (principal: Principal, named: string | undefined): string | undefined =>
  named === undefined && isStaff(principal) ? undefined : merchantFor(principal, named);
