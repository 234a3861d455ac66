import { differencesAmong } from '../../apps/payment/src/application/rebuild.js';
import { paymentPages } from './histories.ts';
import type { Invariant } from './invariant.ts';

/**
 * Invariant 7. Every history is folded again by the domain's own function and projected by the stores' own functions; the
 * result is compared with the rows of payments, their attempts, refunds, disputes and settlements, column by column.
 *
 * While traffic runs: histories and rows of a page are read in one snapshot, and the service writes both in one transaction.
 * What differs is wrong; no grace is needed.
 */
export const readModels: Invariant = {
  number: 7,
  title: 'Read models are what the events say',
  why: 'People and programs decide by what they read, and nobody reads histories.',
  async *check(sources) {
    for await (const page of paymentPages(sources)) {
      sources.compared('payments', page.length);
      const differences = await sources.payment.snapshot(async (sql) => await differencesAmong(sql, page));
      for (const { paymentId, table, detail } of differences)
        yield { problem: `${table}: ${detail}`, ids: { payment: paymentId } };
    }
  },
};
