import { PaymentLoads, rowOf } from './payment-loads.ts';
import { measuredRows } from './report.ts';
import type { Section } from './section.ts';

const PEAK_CLIENTS = 32;
const OVERLOAD = 3;
/** More than the gateway lets be under way, so that what is refused finds a free client. */
const OVERLOAD_CLIENTS = 400;
/** Of the peak, that overload must leave. */
const SHARE_MIN = 0.8;

/** Answers that say honestly that there is too much to do. */
const HONEST = /^(429|503) [a-z_]+$/;

/** Three times as many payments as the whole can make. */
export const overload: Section = {
  name: 'overload',
  title: 'Overload',
  about: 'three times as many authorizations as go: what is still answered well, and how the rest is refused',
  run: async (bench) => {
    const loads = await PaymentLoads.open(bench);
    const { rows, add } = measuredRows(bench);
    try {
      const peak = await loads.pay('authorize', { clients: PEAK_CLIENTS });
      add(rowOf(`as many as go, ${String(PEAK_CLIENTS)} clients`, 'payments', peak));
      const startsPerSecond = Math.max(1, Math.round(OVERLOAD * peak.perSecond));
      const result = await loads.pay('authorize', { clients: OVERLOAD_CLIENTS, startsPerSecond });
      const share = result.perSecond / peak.perSecond;
      const note = `${(share * 100).toFixed(0)} % of the peak (at least ${String(SHARE_MIN * 100)} % wanted)`;
      add(rowOf(`${String(startsPerSecond)} a second come`, 'payments', result, undefined, note));
      const dishonest = Object.entries(result.others).filter(([outcome]) => !HONEST.test(outcome));
      const violations = dishonest.map(
        ([outcome, count]) => `under overload ${String(count)} requests were answered ${outcome}`,
      );
      return { rows, violations: [...loads.violations, ...violations] };
    } finally {
      await loads.close();
    }
  },
};
