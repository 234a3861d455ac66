import { DatabaseBaseline } from './database-baseline.ts';
import { PaymentLoads, rowOf } from './payment-loads.ts';
import { measuredRows } from './report.ts';
import type { Section } from './section.ts';

const ACCOUNTS = 10_000;
const OPEN_CLIENTS = 200;
const GOAL_RATE = 50;
const CLIENTS = [1, 16, 64] as const;

/** Payments with an inline card, as a merchant's server makes them: gateway, vault, payment service, acquirer, and back. */
export const payments: Section = {
  name: 'payments',
  title: 'Payments through the gateway',
  about: 'authorize, and authorize and capture: latency at 50 a second, and as many as go; beside one transfer in SQL',
  run: async (bench) => {
    const baseline = await DatabaseBaseline.create(bench, Math.max(10, Math.round(ACCOUNTS * bench.scale)));
    const loads = await PaymentLoads.open(bench);
    const { rows, add } = measuredRows(bench);
    try {
      for (const what of ['authorize', 'authorize and capture'] as const) {
        const paced = await loads.pay(what, { clients: OPEN_CLIENTS, startsPerSecond: GOAL_RATE });
        add(rowOf(`${what}, ${String(GOAL_RATE)} a second come`, 'payments', paced));
        for (const clients of CLIENTS) {
          const { perSecond } = await baseline.transfer(clients, false);
          const result = await loads.pay(what, { clients });
          const beside = { what: `a transfer by one function, ${String(clients)} connections`, perSecond };
          add(rowOf(`${what}, ${String(clients)} client${clients === 1 ? '' : 's'}`, 'payments', result, beside));
        }
      }
      return { rows, violations: loads.violations };
    } finally {
      await loads.close();
      await baseline.drop();
    }
  },
};
