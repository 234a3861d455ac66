import { fillPayments } from './many-payments.ts';
import { PaymentLoads, rowOf } from './payment-loads.ts';
import { measuredRows } from './report.ts';
import type { Section } from './section.ts';

const SIZES = [10_000, 1_000_000] as const;
const CLIENTS = 16;
const OPEN_CLIENTS = 200;
const GOAL_RATE = 50;
const READ_PAYMENTS = 1_000;

/** The same loads with few payments in the database and with many. */
export const flat: Section = {
  name: 'flat',
  title: 'With 10,000 and with 1,000,000 payments in the database',
  about: 'authorize and read with few payments in the database and with many: the rates and the p99 should not differ',
  run: async (bench) => {
    const loads = await PaymentLoads.open(bench);
    const { rows, add } = measuredRows(bench);
    try {
      // Also what the copies are made from.
      await loads.pay('authorize', { clients: CLIENTS });
      const [template] = await loads.newest(1);
      if (template === undefined) throw new Error('no payment could be made');
      const rates = new Map<string, number>();
      const besideFirst = (what: string, perSecond: number): string | undefined => {
        const first = rates.get(what);
        rates.set(what, first ?? perSecond);
        return first === undefined ? undefined : `${((perSecond / first) * 100).toFixed(0)} % of the rate with few`;
      };
      for (const size of SIZES) {
        const payments = Math.max(100, Math.round(size * bench.scale));
        await fillPayments(bench, template, payments);
        const label = `${payments.toLocaleString('en')} payments: `;
        const paced = await loads.pay('authorize', { clients: OPEN_CLIENTS, startsPerSecond: GOAL_RATE });
        add(rowOf(`${label}authorize, ${String(GOAL_RATE)} a second come`, 'payments', paced));
        const most = await loads.pay('authorize', { clients: CLIENTS });
        const note = besideFirst('authorize', most.perSecond);
        add(rowOf(`${label}authorize, ${String(CLIENTS)} clients`, 'payments', most, undefined, note));
        const read = await loads.read(READ_PAYMENTS, { clients: CLIENTS });
        const readNote = besideFirst('read', read.perSecond);
        add(rowOf(`${label}read, ${String(CLIENTS)} clients`, 'reads', read, undefined, readNote));
      }
      return { rows, violations: loads.violations };
    } finally {
      await loads.close();
    }
  },
};
