import { type DisputeId, isId, type MerchantId, type PaymentId, type RefundId } from '@payflow/kernel';
import { Problem } from '@payflow/service';

/** What cannot be an id of ours names nothing, like an id nobody was given. */
export const paymentIdOf = (text: string): PaymentId => {
  if (!isId('pay', text)) throw new Problem('payment_not_found');
  return text;
};

export const exceptionIdOf = (text: string): string => {
  if (!isId('pex', text)) throw new Problem('payment_exception_not_found');
  return text;
};

export const merchantIdOf = (text: string): MerchantId => {
  if (!isId('mer', text)) throw new Problem('merchant_not_found');
  return text;
};

export const disputeIdOf = (text: string): DisputeId => {
  if (!isId('dp', text)) throw new Problem('dispute_not_found');
  return text;
};

export const refundIdOf = (text: string): RefundId => {
  if (!isId('ref', text)) throw new Problem('refund_not_found');
  return text;
};
