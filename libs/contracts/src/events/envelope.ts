import { z } from 'zod';

/** A payload schema with the topic it travels on and its version. One definition gives type, validation and JSON Schema. */
export interface EventDefinition<Payload extends z.ZodType = z.ZodType> {
  readonly topic: string;
  /** `payment.authorized.v1`: the topic and the version of the payload. */
  readonly type: `${string}.v${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}`;
  readonly summary: string;
  readonly payload: Payload;
}

/**
 * What every message on every topic looks like (spec §3).
 * `sequence`: 1, 2, 3 … per aggregate over all topics of its kind, without gaps.
 * `previousSequence`: of this aggregate on this same topic, null for the first, so that a subscriber to one topic can
 * prove that nothing is missing.
 */
export const envelopeSchema = z.object({
  eventId: z.string().regex(/^evt_[0-9a-z]{26}$/),
  type: z.string().regex(/^[a-z_.]+\.v\d+$/),
  occurredAt: z.iso.datetime(),
  aggregateId: z.string().min(1).max(64),
  sequence: z.int().min(1),
  previousSequence: z.int().min(1).nullable(),
  merchantId: z.string().nullable(),
  correlationId: z.string().nullable(),
  causationId: z.string().nullable(),
  payload: z.record(z.string(), z.unknown()),
});

/** An event as it travels. Amounts in payloads are JSON integers of minor units. */
export interface Envelope<Payload = Readonly<Record<string, unknown>>> {
  readonly eventId: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly aggregateId: string;
  readonly sequence: number;
  readonly previousSequence: number | null;
  readonly merchantId: string | null;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly payload: Payload;
}
