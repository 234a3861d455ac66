import { clientAddressOf } from '@payflow/service';
import type { FastifyRequest } from 'fastify';

import type { Device } from '../application/sessions.js';

const USER_AGENT_LENGTH_MAX = 200;

/** What the list of sessions tells about who logged in. */
export const deviceOf = (request: FastifyRequest, trustedProxies: readonly string[]): Device => ({
  address: clientAddressOf(request, trustedProxies),
  userAgent: request.headers['user-agent']?.replaceAll(/[^\x20-\x7e]/g, '').slice(0, USER_AGENT_LENGTH_MAX) ?? null,
});
