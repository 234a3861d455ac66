import { isStaff, type Principal } from '@payflow/contracts';
import { isId, type MerchantId } from '@payflow/kernel';
import { Problem } from '@payflow/service';

/**
 * Whose balance is asked for: the one that is named, else the caller's own.
 *
 * @throws Problem merchant_required | merchant_not_found, also when it is not the caller's
 */
export const merchantAsked = (named: string | undefined, principal: Principal): string => {
  const merchantId = named ?? principal.merchantId;
  if (merchantId === undefined) throw new Problem('merchant_required');
  if (!seesMerchant(principal, merchantId)) throw new Problem('merchant_not_found');
  return merchantId;
};

/**
 * Whose lists are shown: staff may leave it open.
 *
 * @throws Problem as `merchantAsked`
 */
export const merchantFilter = (named: string | undefined, principal: Principal): string | undefined =>
  named === undefined && isStaff(principal) ? undefined : merchantAsked(named, principal);

export const seesMerchant = (principal: Principal, merchantId: string): boolean =>
  isStaff(principal) || principal.merchantId === merchantId;

/** @throws Problem merchant_not_found also for another's */
export const merchantInPath = (text: string, principal: Principal): MerchantId => {
  if (!isId('mer', text) || !seesMerchant(principal, text)) throw new Problem('merchant_not_found');
  return text;
};
