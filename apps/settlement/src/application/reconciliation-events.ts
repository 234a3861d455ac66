import { SETTLEMENT_EVENTS } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import type { OutgoingEvent } from '@payflow/messaging';

import type { ExceptionRow } from '../store/settlement-exceptions.js';

/** An exception as it stands now, told to the others. */
export const exceptionEvent = (row: ExceptionRow, occurredAt: Date): OutgoingEvent => ({
  definition: SETTLEMENT_EVENTS.exception,
  aggregateId: row.id,
  merchantId: row.merchantId,
  key: row.merchantId ?? row.id,
  occurredAt,
  payload: {
    exceptionId: row.id,
    runId: row.runId,
    kind: row.kind,
    status: row.status,
    source: row.source,
    merchantId: row.merchantId,
    paymentId: row.paymentId,
    reference: row.reference,
    expected: row.expectedMinor === null ? null : minorToJson(row.expectedMinor),
    actual: row.actualMinor === null ? null : minorToJson(row.actualMinor),
    currency: row.currency,
  },
});
