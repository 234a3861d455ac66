import { accept, type Decision, refuse } from '@payflow/kernel';

import type { CreatePayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import type { AmountRefusal } from './refusals.js';

/** A payment comes to be: an intent, or the first step of authorizing in one call. */
export const create = (command: CreatePayment): Decision<PaymentEvent, AmountRefusal> => {
  if (command.amountMinor <= 0n) return refuse({ code: 'amount_not_positive' });
  return accept({ type: 'PaymentCreated', ...command });
};
