import type { Principal } from '@payflow/contracts';
import type { Idempotency, RequestIdentity, RequestMeta } from '@payflow/service';

import type { Cause } from '../store/payment-events.js';

/** A caller's wish as it comes through the door: who, what, and under which conditions. */
export interface CommandRequest<Body> {
  readonly principal: Principal;
  readonly meta: RequestMeta;
  readonly body: Body;
}

export const causeOf = ({ principal, meta }: CommandRequest<unknown>): Cause => ({
  requestId: meta.requestId,
  principalId: principal.id,
});

export const identityOf = (idempotency: Idempotency, request: CommandRequest<unknown>): RequestIdentity =>
  idempotency.identify({ meta: request.meta, principal: request.principal, body: request.body });
