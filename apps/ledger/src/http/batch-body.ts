import type { FastifyInstance } from 'fastify';

/** A thousand transactions of a kilobyte each. Every other route keeps the limit of all services. */
const BATCH_BODY_BYTES_MAX = 1024 * 1024;

/** Lets POST /ledger/transactions take the thousand transactions that its contract promises. */
export const admitLargeBatches = (server: FastifyInstance): void => {
  server.addHook('onRoute', (route) => {
    if (route.method === 'POST' && route.url === '/ledger/transactions') route.bodyLimit = BATCH_BODY_BYTES_MAX;
  });
};
