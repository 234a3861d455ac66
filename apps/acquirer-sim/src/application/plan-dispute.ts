import type { Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { AuthorizationRow } from '../store/authorizations.js';
import { insertDueDispute } from '../store/due-disputes.js';

/** A capture from a card whose payer disputes everything is disputed when this time has come. */
export const planDispute = async (
  tx: Tx,
  acquirer: AcquirerName,
  { authorizationId, cardBehaviour }: AuthorizationRow,
  capture: { readonly reference: string; readonly amountMinor: bigint },
  dueAt: Date,
): Promise<void> => {
  if (cardBehaviour !== 'disputed') return;
  const { reference, amountMinor } = capture;
  await insertDueDispute(tx, { acquirer, reference, authorizationId, amountMinor }, dueAt);
};
