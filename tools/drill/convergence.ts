import { setTimeout as wait } from 'node:timers/promises';

import { healthOf } from '../stack/health.ts';
import { presentServices, type ServiceName } from '../stack/services.ts';
import type { StackState } from '../stack/state.ts';
import type { Databases } from './databases.ts';

const POLL_MS = 200;
const SERVICE_WITH_EVENTS = `SELECT to_regclass('outbox') IS NOT NULL AND to_regclass('parked') IS NOT NULL AS there`;

/** What is still under way, in words; empty when everything has converged. */
export type Backlog = readonly string[];

export interface Convergence {
  readonly seconds: number;
  /** Empty: it converged. */
  readonly left: Backlog;
}

/**
 * Waits until nothing is under way any more: all ready, outboxes empty, consumers caught up, no order open, no wallet half
 * done, no news on its way.
 */
export const converge = async (
  databases: Databases,
  state: () => StackState,
  limitMs: number,
): Promise<Convergence> => {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1_000;
  let left: Backlog = [];
  do {
    left = await backlog(databases, state());
    if (left.length === 0) return { seconds: seconds(), left };
    await wait(POLL_MS);
  } while (performance.now() - start < limitMs);
  return { seconds: seconds(), left };
};

const backlog = async (databases: Databases, state: StackState): Promise<Backlog> => {
  try {
    return [
      ...(await notReady(state)),
      ...(await unpublishedAndParked(databases)),
      ...(await eventsBehind(databases)),
      ...(await openOrders(databases)),
      ...(await walletsUnderWay(databases)),
      ...(await newsOnItsWay(databases)),
    ];
  } catch (error) {
    return [`the databases do not answer: ${error instanceof Error ? error.message : String(error)}`];
  }
};

const notReady = async (state: StackState): Promise<Backlog> => {
  const healths = await Promise.all(
    Object.entries(state.services).map(async ([name, { port }]) => ({
      name,
      health: await healthOf(`http://127.0.0.1:${String(port)}`),
    })),
  );
  return healths.filter(({ health }) => health !== 'ready').map(({ name, health }) => `${name}: ${health}`);
};

const unpublishedAndParked = async (databases: Databases): Promise<Backlog> => {
  const found = await Promise.all(
    servicesWithDatabase().map(async (service): Promise<Backlog> => {
      const [row] = await databases.query(service, SERVICE_WITH_EVENTS);
      if (row?.['there'] !== true) return [];
      const unpublished = await databases.number(service, 'SELECT count(*) FROM outbox WHERE published_at IS NULL');
      const parked = await databases.number(service, 'SELECT count(*) FROM parked');
      return [
        ...(unpublished === 0 ? [] : [`${service}: ${unpublished} messages in the outbox`]),
        ...(parked === 0 ? [] : [`${service}: ${parked} messages parked`]),
      ];
    }),
  );
  return found.flat();
};

/** Invariant 6: what payment has published, the ledger has applied, up to the last event of each payment. */
const eventsBehind = async (databases: Databases): Promise<Backlog> => {
  const published = await databases.number(
    'payment',
    `SELECT coalesce(sum(last_sequence), 0) FROM publication_sequences WHERE aggregate_id LIKE 'pay\\_%'`,
  );
  const applied = await databases.number(
    'ledger',
    `SELECT coalesce(sum(next_sequence - 1), 0) FROM gates WHERE consumer = 'ledger.journal' AND aggregate_id LIKE 'pay\\_%'`,
  );
  return published === applied ? [] : [`ledger: ${applied} of ${published} payment events applied`];
};

const openOrders = async (databases: Databases): Promise<Backlog> => {
  const open = await databases.number(
    'payment',
    `SELECT count(*) FROM payment_attempts WHERE state IN ('requested', 'unanswered')`,
  );
  return open === 0 ? [] : [`payment: ${open} orders that the acquirer has not answered`];
};

/** Money that waits for somebody to open an account may wait for a month; everything else ends by itself. */
const walletsUnderWay = async (databases: Databases): Promise<Backlog> => {
  const pending = await databases.number(
    'wallet',
    `SELECT count(*) FROM wallet_transactions t WHERE status = 'PENDING'
        AND NOT EXISTS (SELECT 1 FROM wallet_claims c WHERE c.transaction_id = t.id AND c.status = 'OPEN')`,
  );
  const steps = await databases.number('wallet', 'SELECT count(*) FROM wallet_holds WHERE step IS NOT NULL');
  const orders = await databases.number('wallet', `SELECT count(*) FROM wallet_orders WHERE status = 'POSTING'`);
  return [
    ...(pending === 0 ? [] : [`wallet: ${pending} transactions PENDING`]),
    ...(steps === 0 ? [] : [`wallet: ${steps} holds between two states`]),
    ...(orders === 0 ? [] : [`wallet: ${orders} orders of payments not posted`]),
  ];
};

/**
 * What acquirers have decided, or will, and PayFlow has not heard yet: a late success that is still to come, a webhook on its
 * way, a message that waits to be asked about. Badly signed ones are refused for as long as they are sent.
 */
const newsOnItsWay = async (databases: Databases): Promise<Backlog> => {
  const undecided = await databases.number('acquirer-sim', 'SELECT count(*) FROM due_results');
  const unsent = await databases.number(
    'acquirer-sim',
    'SELECT count(*) FROM webhooks WHERE ended_at IS NULL AND NOT bad_signature',
  );
  const unasked = await databases.number('payment', `SELECT count(*) FROM psp_webhooks WHERE state = 'waiting'`);
  return [
    ...(undecided === 0 ? [] : [`acquirer-sim: ${undecided} results that are still to come`]),
    ...(unsent === 0 ? [] : [`acquirer-sim: ${unsent} webhooks on their way`]),
    ...(unasked === 0 ? [] : [`payment: ${unasked} webhooks to ask about`]),
  ];
};

const servicesWithDatabase = (): readonly ServiceName[] =>
  presentServices()
    .filter(({ hasDatabase }) => hasDatabase)
    .map(({ name }) => name);
