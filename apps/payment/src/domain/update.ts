import { accept, type Decision, refuse } from '@payflow/kernel';

import type { UpdatePayment } from './commands.js';
import type { PaymentDetails, PaymentEvent } from './events.js';
import { openReview, type Payment, statusOf } from './payment.js';
import type { UpdateRefusal } from './refusals.js';

const sameDetails = (a: PaymentDetails, b: PaymentDetails): boolean =>
  a.amountMinor === b.amountMinor &&
  a.reference === b.reference &&
  a.description === b.description &&
  a.statementDescriptor === b.statementDescriptor &&
  a.returnUrl === b.returnUrl &&
  sameMetadata(a.metadata, b.metadata);

const sameMetadata = (a: PaymentDetails['metadata'], b: PaymentDetails['metadata']): boolean => {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
};

/** An intent may be changed until an acquirer is asked, or people look at it. A change to what it already is, is none. */
export const update = (payment: Payment, command: UpdatePayment): Decision<PaymentEvent, UpdateRefusal> => {
  const { at, changes } = command;
  if (changes.amountMinor !== undefined && changes.amountMinor <= 0n) return refuse({ code: 'amount_not_positive' });
  if (payment.operations.length > 0 || payment.closed || payment.failed || openReview(payment) !== undefined)
    return refuse({ code: 'payment_not_modifiable', status: statusOf(payment) });
  const details: PaymentDetails = {
    amountMinor: changes.amountMinor ?? payment.amountMinor,
    reference: changes.reference ?? payment.reference,
    description: changes.description ?? payment.description,
    statementDescriptor: changes.statementDescriptor ?? payment.statementDescriptor,
    returnUrl: changes.returnUrl ?? payment.returnUrl,
    metadata: changes.metadata ?? payment.metadata,
  };
  return sameDetails(details, payment) ? accept() : accept({ type: 'PaymentUpdated', at, ...details });
};
