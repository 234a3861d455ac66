import type { Principal } from '@payflow/contracts';

/** Who does something, for the audit log. */
export interface Actor {
  readonly principal: Principal;
  readonly requestId: string;
}
