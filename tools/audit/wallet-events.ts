import type { Finding } from './invariant.ts';
import type { WalletSources } from './wallet-sources.ts';

/** A day: the outbox keeps what was sent for longer. */
const KEPT = `interval '1 day'`;

/**
 * Every end of a wallet transaction is told once, and what was told last is how it stands. In one snapshot, as it is
 * committed together; that it reaches everybody is invariant 6.
 */
export async function* eventsThatDiffer({ wallet, compared }: WalletSources): AsyncGenerator<Finding> {
  const portions = wallet.stream<{ id: string; status: string; told: readonly string[] | null }>(
    `SELECT t.id, t.status, told.statuses AS told
       FROM wallet_transactions t
       LEFT JOIN LATERAL (
         SELECT array_agg(o.envelope::jsonb -> 'payload' ->> 'status' ORDER BY o.sequence) AS statuses
           FROM outbox o WHERE o.aggregate_id = t.id AND o.envelope IS NOT NULL) AS told ON true
      WHERE t.completed_at > now() - ${KEPT}`,
  );
  for await (const portion of portions) {
    compared('ended transactions', portion.length);
    for (const { id, status, told } of portion) {
      const ids = { 'wallet transaction': id };
      if (told === null) yield { problem: `it is ${status} and no event tells it`, ids };
      else if (told.at(-1) !== status) yield { problem: `it is ${status} and its last event says ${told.at(-1)}`, ids };
      else if (new Set(told).size !== told.length) yield { problem: `it was told twice: ${told.join(', ')}`, ids };
    }
  }
}
