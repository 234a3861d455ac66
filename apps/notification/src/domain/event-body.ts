import type { Envelope, MerchantEvent } from '@payflow/contracts';

import { typeWithoutVersion } from './event-types.js';

/** What of an event is for staff: whoever knows a rule can walk around it. */
const FOR_STAFF: Readonly<Record<string, readonly string[]>> = {
  'fraud.flagged': ['score', 'reasons', 'rulesVersion'],
};

const forMerchants = (type: string, payload: Envelope['payload']): Envelope['payload'] => {
  const hidden = FOR_STAFF[typeWithoutVersion(type).type] ?? [];
  return Object.fromEntries(Object.entries(payload).filter(([name]) => !hidden.includes(name)));
};

/**
 * An event as its merchant gets it. Written out once, when it comes in: a webhook, its repetitions and the feed carry the
 * same bytes.
 */
export const bodyOf = ({ eventId, type, occurredAt, merchantId, aggregateId, sequence, payload }: Envelope): string =>
  JSON.stringify({
    id: eventId,
    ...typeWithoutVersion(type),
    timestamp: occurredAt,
    merchantId: merchantId ?? '',
    aggregateId,
    sequence,
    data: forMerchants(type, payload),
  } satisfies MerchantEvent);
