/** The reference under which a payment's event posts, once for ever. */
export const paymentReference = (paymentId: string, sequence: number): string =>
  `payflow:payment:${paymentId}:${sequence}`;

/** The reference of the one reversal that a transaction can have. */
export const reversalReference = (transactionId: string): string => `payflow:revert:${transactionId}`;
