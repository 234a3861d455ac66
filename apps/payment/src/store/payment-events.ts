import { minorToJson, type PaymentId } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';

import type { PaymentEvent } from '../domain/events.js';

/** An event with its place in the history. */
export interface StoredEvent {
  readonly version: number;
  readonly event: PaymentEvent;
}

/** Who caused the events, for people who ask later. */
export interface Cause {
  readonly requestId: string;
  readonly principalId: string;
}

type EventData = Readonly<Record<string, unknown>>;

/** Amounts are JSON integers in the store; a member's name says which ones they are. */
export const dataOf = ({ type: _type, at: _at, ...facts }: PaymentEvent): EventData =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, typeof value === 'bigint' ? minorToJson(value) : value]),
  );

const TIMES: ReadonlySet<string> = new Set(['expiresAt', 'decideBy', 'evidenceDueBy']);

const valueOf = (name: string, value: unknown): unknown => {
  if (name.endsWith('Minor')) return BigInt(value as number);
  return TIMES.has(name) ? new Date(value as string) : value;
};

const eventOf = (row: { readonly type: string; readonly data: EventData; readonly occurred_at: Date }): PaymentEvent =>
  ({
    type: row.type,
    at: row.occurred_at,
    ...Object.fromEntries(Object.entries(row.data).map(([name, value]) => [name, valueOf(name, value)])),
  }) as PaymentEvent;

/**
 * Adds events behind version `after`.
 *
 * @throws a unique violation on (payment_id, version) when another writer was faster
 */
export const appendEvents = async (
  tx: Tx,
  paymentId: PaymentId,
  after: number,
  events: readonly PaymentEvent[],
  cause: Cause,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO payment_events (payment_id, version, type, data, occurred_at, request_id, principal_id)
     SELECT $1, version, type, data, occurred_at, $6, $7
     FROM unnest($2::bigint[], $3::text[], $4::jsonb[], $5::timestamptz[]) AS event (version, type, data, occurred_at)`,
    [
      paymentId,
      events.map((_, index) => after + index + 1),
      events.map(({ type }) => type),
      events.map((event) => JSON.stringify(dataOf(event))),
      events.map(({ at }) => at),
      cause.requestId,
      cause.principalId,
    ],
  );
};

/** One event for each of many payments, each with its version. @throws the same */
export const appendEventOfEach = async (
  tx: Tx,
  appended: readonly {
    readonly subject: { readonly paymentId: string };
    readonly version: number;
    readonly event: PaymentEvent;
  }[],
  cause: Cause,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO payment_events (payment_id, version, type, data, occurred_at, request_id, principal_id)
     SELECT payment_id, version, type, data, occurred_at, $6, $7
     FROM unnest($1::text[], $2::bigint[], $3::text[], $4::jsonb[], $5::timestamptz[])
       AS event (payment_id, version, type, data, occurred_at)`,
    [
      appended.map(({ subject }) => subject.paymentId),
      appended.map(({ version }) => version),
      appended.map(({ event }) => event.type),
      appended.map(({ event }) => JSON.stringify(dataOf(event))),
      appended.map(({ event }) => event.at),
      cause.requestId,
      cause.principalId,
    ],
  );
};

/** The whole history, oldest first; empty when there is no such payment. */
export const loadHistory = async (sql: Sql, paymentId: string): Promise<readonly StoredEvent[]> => {
  const rows = await sql.query<{ version: bigint; type: string; data: EventData; occurred_at: Date }>(
    'SELECT version, type, data, occurred_at FROM payment_events WHERE payment_id = $1 ORDER BY version',
    [paymentId],
  );
  return rows.map((row) => ({ version: Number(row.version), event: eventOf(row) }));
};

/** Many whole histories in one statement, each oldest first; a payment without events is not in the map. */
export const loadHistories = async (
  sql: Sql,
  paymentIds: readonly string[],
): Promise<ReadonlyMap<string, readonly StoredEvent[]>> => {
  const rows = await sql.query<{
    payment_id: string;
    version: bigint;
    type: string;
    data: EventData;
    occurred_at: Date;
  }>(
    `SELECT payment_id, version, type, data, occurred_at FROM payment_events WHERE payment_id = ANY($1)
      ORDER BY payment_id, version`,
    [paymentIds],
  );
  const histories = new Map<string, StoredEvent[]>();
  for (const row of rows) {
    const history = histories.get(row.payment_id) ?? [];
    history.push({ version: Number(row.version), event: eventOf(row) });
    histories.set(row.payment_id, history);
  }
  return histories;
};

/** The history up to a time. Versions give the order; a clock that was set back cannot make a hole in it. */
export const historyUntil = (history: readonly StoredEvent[], until: Date): readonly StoredEvent[] => {
  const later = history.findIndex(({ event }) => event.at > until);
  return later === -1 ? history : history.slice(0, later);
};
