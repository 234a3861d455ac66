import type { LedgerTransfers } from './clients/ledger-transfer.ts';
import { DatabaseBaseline } from './database-baseline.ts';
import type { LoadResult } from './load.ts';
import { LedgerBooks } from './ledger-books.ts';
import { measuredRows } from './report.ts';
import type { Row, Section } from './section.ts';
import { tokenOf } from './sign-in.ts';

const ACCOUNTS = 10_000;
const ACCOUNTS_MIN = 10;
const MODULE = new URL('./clients/ledger-transfer.ts', import.meta.url);
/** Enough to have one request decoded, one decided and one committed at any time, also with 100 transfers in each. */
const BULK_CLIENTS = 8;

interface Load {
  readonly clients: number;
  readonly transfersPerRequest: number;
  readonly hot: boolean;
  readonly withKey: boolean;
}

const single = (clients: number, withKey = true): Load => ({ clients, transfersPerRequest: 1, hot: false, withKey });
const bulk = (transfersPerRequest: number): Load => ({ ...single(BULK_CLIENTS), transfersPerRequest });
const hot = (load: Load): Load => ({ ...load, hot: true });

const LOADS: readonly Load[] = [
  single(1),
  single(16),
  single(64),
  single(64, false),
  bulk(100),
  bulk(1_000),
  hot(single(64)),
  hot(bulk(100)),
  hot(bulk(1_000)),
];

const nameOf = ({ clients, transfersPerRequest, hot, withKey }: Load): string =>
  `${transfersPerRequest === 1 ? 'one' : transfersPerRequest.toLocaleString('en')} a request, ${String(clients)} ` +
  `client${clients === 1 ? '' : 's'}${hot ? ', one hot account' : ''}${withKey ? '' : ', no key'}`;

/** Transfers over HTTP to the ledger itself, with an Idempotency-Key as a real client sends it. */
export const ledger: Section = {
  name: 'ledger',
  title: 'Ledger transfers',
  about: 'transfers over HTTP, one by one and in bulk, over 10,000 accounts and through one; beside one SQL function',
  run: async (bench) => {
    const accounts = Math.max(ACCOUNTS_MIN, Math.round(ACCOUNTS * bench.scale));
    const books = await LedgerBooks.open(bench);
    const baseline = await DatabaseBaseline.create(bench, accounts);
    try {
      const accountPrefix = `bench:${Date.now().toString(36)}:`;
      await books.openAccounts(accountPrefix, accounts);
      const token = await tokenOf(bench.stack.gateway, bench.stack.ledgerClient);
      const address = bench.stack.services['ledger'] ?? '';
      const { rows, add } = measuredRows(bench);
      const violations: string[] = [];
      for (const [index, load] of LOADS.entries()) {
        const beside = await besides(baseline, load);
        const referencePrefix = `${accountPrefix}${String(index)}-`;
        const settings: LedgerTransfers = { address, token, accountPrefix, accounts, referencePrefix, ...load };
        const result = await bench.load({ module: MODULE, settings, clients: load.clients });
        const row = rowOf(load, result, beside);
        add(row);
        const answered = result.succeededInAll * load.transfersPerRequest;
        const found = await books.countOf(referencePrefix);
        if (found !== answered)
          violations.push(`${row.what}: ${String(answered)} were answered as posted, ${String(found)} are`);
      }
      return { rows, violations: [...violations, ...(await books.violations())] };
    } finally {
      await baseline.drop();
      await books.close();
    }
  },
};

/** The same transfers by the database alone. */
const besides = async (
  baseline: DatabaseBaseline,
  { clients, transfersPerRequest, hot }: Load,
): Promise<Row['baseline']> => {
  if (transfersPerRequest === 1) {
    const { perSecond } = await baseline.transfer(clients, hot);
    return { what: `a function each, ${String(clients)} connections`, perSecond };
  }
  const { perSecond } = await baseline.transfers(transfersPerRequest, hot);
  return {
    what: `set-based, ${transfersPerRequest.toLocaleString('en')} a commit`,
    perSecond: perSecond * transfersPerRequest,
  };
};

const rowOf = (load: Load, result: LoadResult, baseline: Row['baseline']): Row => ({
  what: nameOf(load),
  unit: 'transfers',
  perSecond: result.perSecond * load.transfersPerRequest,
  p50Ms: result.p50Ms,
  p99Ms: result.p99Ms,
  ...(baseline === undefined ? {} : { baseline }),
  clientCpuShare: result.clientCpuShare,
  others: result.others,
});
