import { DatabaseBaseline } from './database-baseline.ts';
import { PaymentLoads, rowOf } from './payment-loads.ts';
import { measuredRows } from './report.ts';
import type { Section } from './section.ts';

const ACCOUNTS = 10_000;
const PAYMENTS = 1_000;
const CLIENTS = [1, 16, 64] as const;

/** GET /payments/{id}, ledger lines included, of payments that were just made. */
export const reads: Section = {
  name: 'reads',
  title: 'Reading payments through the gateway',
  about: 'GET /payments/{id} with its ledger lines, at random; beside a select by key',
  run: async (bench) => {
    const baseline = await DatabaseBaseline.create(bench, Math.max(10, Math.round(ACCOUNTS * bench.scale)));
    const loads = await PaymentLoads.open(bench);
    const { rows, add } = measuredRows(bench);
    try {
      // What is read is made first.
      await loads.pay('authorize', { clients: 16 });
      for (const clients of CLIENTS) {
        const { perSecond } = await baseline.select(clients);
        const result = await loads.read(PAYMENTS, { clients });
        const beside = { what: `a select by key, ${String(clients)} connections`, perSecond };
        add(rowOf(`${String(clients)} client${clients === 1 ? '' : 's'}`, 'reads', result, beside));
      }
      return { rows, violations: loads.violations };
    } finally {
      await loads.close();
      await baseline.drop();
    }
  },
};
