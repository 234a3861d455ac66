import { DatabaseUnavailableError, isConnectionFailure } from '@payflow/postgres';

import type { Delivery } from '../message.js';
import { PoisonError } from '../message.js';
import { storable } from './decode.js';

/** A handler failed with exactly one event: this one is guilty. `parkedId` when it came out of parking. */
export class GuiltyError extends Error {
  override readonly name = 'GuiltyError';

  constructor(
    readonly delivery: Delivery,
    readonly parkedId: bigint | undefined,
    override readonly cause: unknown,
  ) {
    super(`the handler failed with ${delivery.envelope.eventId}`, { cause });
  }
}

/**
 * A handler failed with several events, by an error that is not the database's: they are to be taken one by one. Bare, a
 * network error of the handler's own calls would pass for one of the transaction's connection.
 */
export class BatchFailedError extends Error {
  override readonly name = 'BatchFailedError';
}

/** Whether the surroundings failed and not the message: nothing is counted against it. */
export const isInfrastructureFailure = (error: unknown): boolean => {
  const cause = causeOf(error);
  return isDatabaseFailure(cause) && (cause instanceof DatabaseUnavailableError || isConnectionFailure(cause));
};

/** Not so a network error of the handler's own calls: it is retried with backoff and holds up nobody. */
export const isDatabaseFailure = (error: unknown): boolean =>
  error instanceof DatabaseUnavailableError || isFromPostgres(error);

const isFromPostgres = (error: unknown): boolean =>
  error instanceof Error &&
  ('severity' in error ||
    /Connection terminated|Query read timeout|timeout exceeded when trying to connect|not queryable|Client was closed/i.test(
      error.message,
    ));

export const causeOf = (error: unknown): unknown => (error instanceof GuiltyError ? error.cause : error);

/** A parked message cannot be read. Where that was found out says nothing about it: its line is its reason, as it was at first. */
export class UnreadableError extends PoisonError {
  override readonly name = 'UnreadableError';
}

const LINE_LENGTH_MAX = 500;

/** The reason and the first line of the stack, as they are shown to operators. */
export const describeFailure = (error: unknown): { readonly reason: string; readonly errorLine: string } => {
  const cause = causeOf(error);
  if (!(cause instanceof Error)) return { reason: cut(String(cause)), errorLine: cut(String(cause)) };
  if (cause instanceof UnreadableError) return { reason: cut(cause.message), errorLine: cut(cause.message) };
  const place = (cause.stack ?? '')
    .split('\n')
    .find((line) => line.trim().startsWith('at '))
    ?.trim();
  return {
    reason: cut(cause instanceof PoisonError ? cause.message : `the handler failed: ${cause.message}`),
    errorLine: cut(`${cause.name}: ${cause.message}${place === undefined ? '' : ` ${place}`}`.replaceAll('\n', ' ')),
  };
};

const cut = (text: string): string => storable(text).slice(0, LINE_LENGTH_MAX);
