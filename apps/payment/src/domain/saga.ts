import { type Operation, operationOf, type Payment } from './payment.js';

/**
 * What is to be sent next for the request that started with this operation, or nothing. It reads only what is
 * committed, so a process that takes over after a crash goes on exactly where the other one died.
 */
export const nextStep = (payment: Payment, firstOperationId: string): Operation | undefined => {
  const first = operationOf(payment, firstOperationId);
  if (first?.state === 'requested') return first;
  if (first?.kind !== 'authorize' || first.saleCaptureId === null) return undefined;
  const saleCapture = operationOf(payment, first.saleCaptureId);
  return saleCapture?.state === 'requested' ? saleCapture : undefined;
};
