import { connected } from './payment-books.ts';
import { PaymentLoads, rowOf } from './payment-loads.ts';
import { memoryMibOf } from './process-memory.ts';
import { measuredRows } from './report.ts';
import type { Bench, Section } from './section.ts';

const CLIENTS = 200;
const RATES = [20, 100] as const;

/** From an event's row in payment's outbox, written right before its commit, to the ledger's entries: one clock, that of Postgres. */
export const lag: Section = {
  name: 'lag',
  title: 'From a payment to the ledger',
  about:
    'how long an event of a payment takes to its ledger entries while payments come; and the memory of each service',
  run: async (bench) => {
    const loads = await PaymentLoads.open(bench);
    const { rows, add } = measuredRows(bench);
    try {
      for (const startsPerSecond of RATES) {
        const since = new Date();
        const result = await loads.pay('authorize', { clients: CLIENTS, startsPerSecond });
        const lags = await lagsSince(bench, since);
        const what = `authorize, ${String(startsPerSecond)} a second come: event to entry`;
        const row = { ...rowOf(what, 'payments', result), p50Ms: part(lags, 0.5), p99Ms: part(lags, 0.99) };
        add(startsPerSecond === RATES.at(-1) ? { ...row, note: memoryOf(bench) } : row);
      }
      return { rows, violations: loads.violations };
    } finally {
      await loads.close();
    }
  },
};

/** Milliseconds, ascending, of each event since then that the ledger has posted. */
const lagsSince = async (bench: Bench, since: Date): Promise<readonly number[]> => {
  const [payment, ledger] = await Promise.all([
    connected(bench.stack.postgres, 'payflow_payment'),
    connected(bench.stack.postgres, 'payflow_ledger'),
  ]);
  try {
    const told = await payment.query<{ id: string; at: Date }>(
      `SELECT headers->>'ce_id' AS id, created_at AS at FROM outbox WHERE created_at >= $1`,
      [since],
    );
    const posted = await ledger.query<{ id: string; at: Date }>(
      'SELECT event_id AS id, recorded_at AS at FROM transactions WHERE recorded_at >= $1 AND event_id IS NOT NULL',
      [since],
    );
    const toldAt = new Map(told.rows.map(({ id, at }) => [id, at.getTime()]));
    return posted.rows
      .flatMap(({ id, at }) => {
        const from = toldAt.get(id);
        return from === undefined ? [] : [at.getTime() - from];
      })
      .sort((a, b) => a - b);
  } finally {
    await Promise.all([payment.end(), ledger.end()]);
  }
};

const part = (ascending: readonly number[], of: number): number => {
  const value = ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * of))];
  if (value === undefined) throw new Error('invariant: no event of the load is in the ledger');
  return value;
};

/** Of each service's process, shared pages counted in part (PSS); nothing where the kernel does not tell. */
const memoryOf = ({ stack }: Bench): string => {
  const sizes = Object.entries(stack.pids).flatMap(([name, pid]) => {
    const mib = memoryMibOf(pid, 'Pss');
    return mib === undefined ? [] : [`${name} ${mib.toFixed(0)}`];
  });
  return sizes.length === 0 ? 'memory: not told here' : `memory, MiB: ${sizes.join(', ')}`;
};
