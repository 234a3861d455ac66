import { setTimeout as wait } from 'node:timers/promises';

import { sendPoison } from './faults/messages.ts';
import { bodyOf, membersOf, type Person } from './platform.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

/** What makes a service pass crash points that ordinary payments and wallets do not come by. */
interface Provocation {
  /** Of the crash points that it leads to. */
  readonly prefix: string;
  readonly act: (world: World) => Promise<void>;
}

const CARD = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' };
/** An amount that the load never uses (it is odd), and which the ledger is made to refuse for a while. */
const CURSED_AMOUNT = 66_613;
const SILENCE_MS = 6_000;
const PARK_LIMIT_MS = 10_000;

/** As the demo merchant: the verdict looks at the drill's own merchants only. */
const sale = async ({ platform }: World, amount: number): Promise<void> => {
  await platform.asMerchant(platform.demo().merchant, {
    method: 'POST',
    path: '/payments/authorize',
    key: crypto.randomUUID(),
    body: JSON.stringify({ amount, currency: 'USD', capture: true, paymentMethod: { type: 'card', card: CARD } }),
  });
};

/** Commands that are one transaction: an intent, a merchant, an account. */
const simpleCommands = async ({ platform }: World): Promise<void> => {
  const { merchant, ledgerClient } = platform.demo();
  await platform.newMerchant('Provoked');
  await platform.asMerchant(merchant, {
    method: 'POST',
    path: '/payments',
    key: crypto.randomUUID(),
    body: JSON.stringify({ amount: 1_000, currency: 'USD' }),
  });
  await platform.asMerchant(
    { merchantId: '', ...ledgerClient },
    {
      method: 'POST',
      path: '/ledger/accounts',
      key: crypto.randomUUID(),
      body: JSON.stringify({ code: `drill:${crypto.randomUUID()}`, currency: 'USD' }),
    },
  );
};

const postings = async ({ platform }: World): Promise<void> => {
  const client = { merchantId: '', ...platform.demo().ledgerClient };
  for (const code of ['drill:from', 'drill:to'])
    await platform.asMerchant(client, {
      method: 'POST',
      path: '/ledger/accounts',
      key: `open-${code}`,
      body: JSON.stringify({ code, currency: 'USD' }),
    });
  const transaction = {
    reference: crypto.randomUUID(),
    type: 'DRILL',
    postings: [{ from: 'drill:from', to: 'drill:to', amount: 1, currency: 'USD' }],
  };
  await platform.asMerchant(client, {
    method: 'POST',
    path: '/ledger/transactions',
    key: crypto.randomUUID(),
    body: JSON.stringify({ transactions: [transaction] }),
  });
};

const keyRotation = async ({ platform, stack }: World): Promise<void> => {
  const path = '/internal/vault/keys/rotate';
  await platform.asOperatorOf(stack.addressOf('tokenization'), { method: 'POST', path, key: crypto.randomUUID() });
};

/** The acquirer is silent for longer than payment waits: orders stay open, and recovery takes them up. */
const silentAcquirer = async ({ stack }: World): Promise<void> => {
  stack.signal('acquirer-sim', 'SIGSTOP');
  await wait(SILENCE_MS);
  stack.signal('acquirer-sim', 'SIGCONT');
  await wait(SILENCE_MS / 2);
};

/** The ledger cannot post one amount until its database is mended: the message is parked, and tried again. */
const parkedMessage = async (world: World): Promise<void> => {
  const { databases } = world;
  await databases.query(
    'ledger',
    `ALTER TABLE entries ADD CONSTRAINT drill_curse CHECK (amount <> ${CURSED_AMOUNT}) NOT VALID`,
  );
  try {
    await sale(world, CURSED_AMOUNT);
    const end = performance.now() + PARK_LIMIT_MS;
    while (performance.now() < end && (await databases.number('ledger', 'SELECT count(*) FROM parked')) === 0)
      await wait(100);
  } finally {
    await databases.query('ledger', 'ALTER TABLE entries DROP CONSTRAINT IF EXISTS drill_curse');
  }
};

/** A dead letter is tried again by an operator, and stays one. */
const replayedLetter = async (world: World): Promise<void> => {
  const { platform, stack, databases } = world;
  const letters = (): Promise<number> =>
    databases.number('ledger', `SELECT count(*) FROM dead_letters WHERE status = 'open'`);
  if ((await letters()) === 0) await sendPoison(world, new Random(world.poison.length));
  const end = performance.now() + PARK_LIMIT_MS;
  while (performance.now() < end && (await letters()) === 0) await wait(100);
  const base = stack.addressOf('ledger');
  const path = '/operations/dead-letters';
  const list = await platform.asOperatorOf(base, { method: 'GET', path: `${path}?status=open&limit=1` });
  const { data } = bodyOf(list, 200) as { data: readonly { deadLetterId: string }[] };
  for (const { deadLetterId } of data)
    await platform.asOperatorOf(base, { method: 'POST', path: `${path}/${deadLetterId}/replay`, body: '{}' });
};

const prolongedSession = async ({ platform }: World): Promise<void> => {
  await platform.prolongSession();
};

interface Payers {
  readonly from: Person;
  readonly to: Person;
}

/** Two people whom the verdict does not look at, made once for each drill. */
const payersOf = new WeakMap<World, Promise<Payers>>();

const payers = async (world: World): Promise<Payers> => {
  const known = payersOf.get(world);
  if (known !== undefined) return await known;
  const { platform } = world;
  const made = Promise.all([platform.newPerson(), platform.newPerson()]).then(([from, to]) => ({ from, to }));
  payersOf.set(world, made);
  made.catch(() => payersOf.delete(world));
  return await made;
};

/** As somebody with a wallet. */
const walletCall = async (
  world: World,
  path: string,
  body: (payers: Payers) => Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> => {
  const { from, to } = await payers(world);
  const answer = await world.platform.asPerson(from, {
    method: 'POST',
    path,
    key: crypto.randomUUID(),
    body: JSON.stringify(body({ from, to })),
  });
  return membersOf(answer.text);
};

const walletTransfer = async (world: World): Promise<void> => {
  await walletCall(world, '/wallets/transfer', ({ from, to }) => ({
    fromWallet: from.walletId,
    toWallet: to.walletId,
    amount: 1,
  }));
};

const walletAddition = async (world: World): Promise<void> => {
  await walletCall(world, '/wallet/add', () => ({
    amount: 1_000,
    currency: 'USD',
    paymentMethod: { type: 'card', card: CARD },
  }));
};

/** To an account that is paid at once. */
const walletWithdrawal = async (world: World): Promise<void> => {
  await walletAddition(world);
  await walletCall(world, '/wallet/withdraw', () => ({
    amount: 100,
    currency: 'USD',
    bankAccount: { iban: 'GB57PAYF00000100000001', name: 'Ada Lovelace' },
  }));
};

/** The payment service orders a hold, its capture, and a refund of the wallet service. */
const walletPayment = async (world: World): Promise<void> => {
  await walletAddition(world);
  const { platform } = world;
  const { merchant } = platform.demo();
  const paid = await walletCall(world, '/wallet/pay', () => ({ merchantId: merchant.merchantId, amount: 100 }));
  await platform.asMerchant(merchant, {
    method: 'POST',
    path: `/payments/${String(paid['paymentId'])}/refund`,
    key: crypto.randomUUID(),
    body: '{}',
  });
};

const PROVOCATIONS: readonly Provocation[] = [
  { prefix: 'idempotency.', act: simpleCommands },
  { prefix: 'auth.refresh.', act: prolongedSession },
  { prefix: 'ledger.', act: postings },
  { prefix: 'vault.rotation.', act: keyRotation },
  { prefix: 'payment.recover.', act: silentAcquirer },
  { prefix: 'wallet.transfer.', act: walletTransfer },
  { prefix: 'wallet.add.', act: walletAddition },
  { prefix: 'wallet.withdraw.', act: walletWithdrawal },
  { prefix: 'wallet.order.', act: walletPayment },
  { prefix: 'wallet.pay.', act: walletPayment },
  { prefix: 'retry.', act: parkedMessage },
  { prefix: 'dead-letters.', act: replayedLetter },
];

/** Leads to a crash point, or to all of them when the name is empty. What dies on the way does not matter. */
export const provoke = async (world: World, point: string): Promise<void> => {
  const wanted = PROVOCATIONS.filter(({ prefix }) => point === '' || point.startsWith(prefix));
  await Promise.all(wanted.map(async ({ act }) => await act(world).catch(() => undefined)));
};
