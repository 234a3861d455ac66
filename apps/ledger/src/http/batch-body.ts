import type { FastifyInstance } from 'fastify';

/** A thousand transactions of a kilobyte each. Every other route keeps the limit of all services. */
const BATCH_BODY_BYTES_MAX = 1024 * 1024;

const BATCH_ROUTES: readonly string[] = [
  '/ledger/transactions',
  '/internal/ledger/postings',
  '/internal/ledger/balances',
];

/** Lets the routes that take many things at once take as many as their contracts promise. */
export const admitLargeBatches = (server: FastifyInstance): void => {
  server.addHook('onRoute', (route) => {
    if (route.method === 'POST' && BATCH_ROUTES.includes(route.url)) route.bodyLimit = BATCH_BODY_BYTES_MAX;
  });
};
