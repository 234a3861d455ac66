import { createHash } from 'node:crypto';

import {
  type AggregateKind,
  aggregateKindOf,
  type Envelope,
  envelopeSchema,
  EVENT_CATALOGUE,
} from '@payflow/contracts';

import type { Delivery, RawMessage } from '../message.js';

/** What a message that cannot be used tells about itself nevertheless. */
export interface Poison {
  readonly raw: RawMessage;
  readonly reason: string;
  readonly eventId: string | null;
  readonly aggregateId: string | null;
  readonly sequence: number | null;
}

export type Decoded =
  | { readonly ok: true; readonly raw: RawMessage; readonly delivery: Delivery }
  | { readonly ok: false; readonly poison: Poison };

/**
 * Reads a message by the contracts. The topic here is the contract's, without an installation's prefix. Unknown members
 * are let through: a newer producer may add fields to a version.
 */
export const decode = (raw: RawMessage, kind: AggregateKind, bytesMax: number): Decoded => {
  const poison = (reason: string, envelope?: Envelope): Decoded => ({
    ok: false,
    poison: {
      raw,
      reason,
      eventId: envelope?.eventId ?? null,
      aggregateId: envelope?.aggregateId ?? null,
      sequence: envelope?.sequence ?? null,
    },
  });
  if (raw.value === null) return poison('the value is null');
  if (raw.value.length > bytesMax) return poison(`the value has ${raw.value.length} bytes; the limit is ${bytesMax}`);
  const json = parsed(raw.value);
  if (json === undefined) return poison('the value is not JSON');
  const result = envelopeSchema.safeParse(json);
  if (!result.success) return poison(`not an envelope: ${firstIssue(result.error)}`);
  if (result.data.aggregateId.includes('\0'))
    return poison('the aggregate id holds a NUL, which Postgres cannot store');
  const envelope: Envelope = result.data;
  const definition = EVENT_CATALOGUE.get(envelope.type);
  if (definition === undefined) return poison(`the type ${envelope.type} is unknown`, envelope);
  if (definition.topic !== raw.topic) return poison(`${envelope.type} does not belong on ${raw.topic}`, envelope);
  if (aggregateKindOf(definition.topic) !== kind) return poison(`${envelope.type} is no ${kind} event`, envelope);
  const payload = definition.payload.safeParse(envelope.payload);
  if (!payload.success) return poison(`the payload breaks ${envelope.type}: ${firstIssue(payload.error)}`, envelope);
  const { topic, partition, offset, headers } = raw;
  return { ok: true, raw, delivery: { envelope, topic, partition, offset, headers } };
};

/** Postgres keeps no NUL in text or jsonb. */
export const storable = (text: string): string => text.replaceAll('\0', '\ufffd');

/** Tells two messages at the same place of two logs apart. */
export const digestOf = (value: Buffer | null): string =>
  value === null ? 'null' : createHash('sha256').update(value).digest('hex');

const parsed = (value: Buffer): unknown => {
  try {
    return JSON.parse(strictUtf8.decode(value));
  } catch {
    return undefined;
  }
};

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

const firstIssue = (error: {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}): string => {
  const [issue] = error.issues;
  return issue === undefined ? 'invalid' : storable(`${issue.path.map(String).join('.')}: ${issue.message}`);
};
