import type { Tx } from '@payflow/postgres';

/** Who did what to what. In the transaction of the deed, so that there is never one without the other. */
export interface AuditEntry {
  /** The principal, or `system` at the start of the service. */
  readonly actor: string;
  readonly action: 'merchant.created' | 'client.created' | 'client.configured' | 'user.created' | 'signing_key.rotated';
  readonly target: string;
  readonly requestId: string | null;
  readonly details?: Readonly<Record<string, unknown>>;
}

export const appendAudit = async (tx: Tx, entry: AuditEntry): Promise<void> => {
  await tx.execute('INSERT INTO audit_log (actor, action, target, request_id, details) VALUES ($1, $2, $3, $4, $5)', [
    entry.actor,
    entry.action,
    entry.target,
    entry.requestId,
    JSON.stringify(entry.details ?? {}),
  ]);
};
