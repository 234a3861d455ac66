import type { Envelope } from '@payflow/contracts';
import type { Context } from '@payflow/service';

import type { Headers } from '../message.js';

/** CloudEvents 1.0 in Kafka's binary mode (prefix `ce_`), with W3C Trace Context and our own correlation ids. */
export const eventHeaders = (service: string, envelope: Envelope, traceparent: string | undefined): Headers => ({
  ce_specversion: '1.0',
  ce_id: envelope.eventId,
  ce_type: envelope.type,
  ce_source: `/payflow/${service}`,
  ce_time: envelope.occurredAt,
  ce_subject: envelope.aggregateId,
  'content-type': 'application/json',
  ...(traceparent === undefined ? {} : { traceparent }),
  ...(envelope.correlationId === null ? {} : { 'correlation-id': envelope.correlationId }),
  ...(envelope.causationId === null ? {} : { 'causation-id': envelope.causationId }),
});

/** The context in which an event is handled: what it publishes is caused by this event. */
export const contextOfEvent = (envelope: Envelope, headers: Headers, isPayment: boolean): Context => ({
  eventId: envelope.eventId,
  ...(envelope.correlationId === null ? {} : { correlationId: envelope.correlationId }),
  ...(envelope.causationId === null ? {} : { causationId: envelope.causationId }),
  ...(headers['traceparent'] === undefined ? {} : { traceparent: headers['traceparent'] }),
  ...(isPayment ? { paymentId: envelope.aggregateId } : {}),
});

/** What an event that is published now was caused by: the event being handled, else the request. */
export const causesIn = (
  context: Context,
): { readonly correlationId: string | null; readonly causationId: string | null } => ({
  correlationId: context.correlationId ?? context.requestId ?? null,
  causationId: context.eventId ?? context.causationId ?? context.requestId ?? null,
});
