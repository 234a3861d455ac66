import { isStaff, type Principal } from '@payflow/contracts';
import { Problem } from '@payflow/service';

/**
 * Staff works for every merchant, everybody else for his own: another one is not there.
 *
 * @throws Problem merchant_not_found
 */
export const requireOwnMerchant = (principal: Principal, merchantId: string): void => {
  if (!isStaff(principal) && principal.merchantId !== merchantId) throw new Problem('merchant_not_found');
};
