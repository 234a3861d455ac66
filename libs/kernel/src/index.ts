export { cardGoodUntil } from './card-expiry.js';
export { containsCardNumber, passesLuhn } from './card-number.js';
export { type Currency, currencyCodesKnown, currencyOf, exponentOf } from './currency.js';
export { AMOUNT_MINOR_MAX, majorFromMinor, minorFromMajor, minorToJson, type Money } from './money.js';
export { divideHalfEven, feeOnCapture, feeOnTotal, type FeeTerms } from './fee.js';
export { accept, type Decision, refuse, unreachable } from './decision.js';
export { canonicalJson, type Json } from './canonical.js';
export {
  type AttemptId,
  type CaptureId,
  type DisputeId,
  type Id,
  ID_PREFIXES,
  type IdPrefix,
  isId,
  type MerchantId,
  newId,
  type PaymentId,
  type RefundId,
  type VoidId,
} from './ids.js';
