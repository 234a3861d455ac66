import type { WalletTransfers } from './clients/wallet-transfer.ts';
import { DatabaseBaseline } from './database-baseline.ts';
import { LedgerBooks } from './ledger-books.ts';
import { measuredRows } from './report.ts';
import type { Row, Section } from './section.ts';
import { WalletBooks } from './wallet-books.ts';
import { newOwners } from './wallet-owners.ts';

const WALLETS = 1_000;
/** So many that what one person may ask for in a second (RATE_LIMIT_PER_SECOND) is no limit of the whole. */
const OWNERS = 16;
const WALLETS_MIN = 2 * OWNERS;
const MODULE = new URL('./clients/wallet-transfer.ts', import.meta.url);

interface Load {
  readonly clients: number;
  readonly hot: boolean;
}

const LOADS: readonly Load[] = [
  { clients: 1, hot: false },
  { clients: 16, hot: false },
  { clients: 64, hot: false },
  { clients: 64, hot: true },
];

const nameOf = ({ clients, hot }: Load): string =>
  `${String(clients)} client${clients === 1 ? '' : 's'}, ${hot ? 'one hot receiver' : 'wallets at random'}`;

/** Transfers between people's wallets through the gateway, each with an Idempotency-Key. */
export const wallets: Section = {
  name: 'wallets',
  title: 'Wallet transfers',
  about: 'transfers through the gateway, over 1,000 wallets and to one; beside one SQL function',
  run: async (bench) => {
    const count = Math.max(WALLETS_MIN, Math.round(WALLETS * bench.scale));
    const owners = await newOwners(bench, OWNERS, count);
    const books = await WalletBooks.open(bench, owners);
    const journal = await LedgerBooks.open(bench);
    const baseline = await DatabaseBaseline.create(bench, count);
    try {
      const { rows, add } = measuredRows(bench);
      const violations: string[] = [];
      const total = await books.total();
      const hotReceiver = owners[0]?.wallets[0] ?? '';
      for (const load of LOADS) {
        const { perSecond } = await baseline.transfer(load.clients, load.hot);
        const before = await books.transfers();
        const settings: WalletTransfers = {
          address: bench.stack.gateway,
          owners,
          ...(load.hot ? { hotReceiver } : {}),
        };
        const result = await bench.load({ module: MODULE, settings, clients: load.clients });
        const row: Row = {
          what: nameOf(load),
          unit: 'transfers',
          perSecond: result.perSecond,
          p50Ms: result.p50Ms,
          p99Ms: result.p99Ms,
          baseline: { what: `a function each, ${String(load.clients)} connections`, perSecond },
          clientCpuShare: result.clientCpuShare,
          others: result.others,
        };
        add(row);
        const found = (await books.transfers()) - before;
        if (found !== result.succeededInAll)
          violations.push(`${row.what}: ${String(result.succeededInAll)} were answered as done, ${String(found)} are`);
      }
      const left = await books.total();
      if (left !== total) violations.push(`the wallets had ${String(total)} and have ${String(left)}`);
      return { rows, violations: [...violations, ...(await books.violations()), ...(await journal.violations())] };
    } finally {
      await baseline.drop();
      await journal.close();
      await books.close();
    }
  },
};
