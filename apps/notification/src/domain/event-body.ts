import type { Envelope, MerchantEvent } from '@payflow/contracts';

import { typeWithoutVersion } from './event-types.js';

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
    data: payload,
  } satisfies MerchantEvent);
