import { narrator } from './narrator.ts';
import { expectThat, type Platform, type Reply, until } from './platform.ts';

const CARD = { type: 'card', card: { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' } };
/** The bank of the simulator pays, and its answer is lost. */
const SILENT_BANK_ACCOUNT = 'GB89PAYF00000100000007';

/** A new customer, logged in, with a wallet in USD. */
const newCustomer = async (platform: Platform, name: string) => {
  const login = { username: `${name}-${crypto.randomUUID().slice(0, 8)}`, password: 'secret123' };
  const registered = await platform.as('', 'POST', '/auth/register', login);
  expectThat(registered.status === 201, 'a username and a password should be enough', registered);
  const { body } = await platform.as('', 'POST', '/auth/login', login);
  const token = body.token as string;
  const wallet = await platform.as(token, 'POST', '/wallets/create');
  return { username: login.username, token, walletId: wallet.body.id as string, registered, wallet };
};

const balanceOf = async (platform: Platform, token: string): Promise<{ total: number; available: number }> =>
  (await platform.as(token, 'GET', '/wallet/balance')).body;

export const firstTransfer = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    9,
    'From registering to the first money sent',
    'A wallet is money of a person; the ledger alone knows how much.',
  );
  const [alice, bob] = [await newCustomer(platform, 'alice'), await newCustomer(platform, 'bob')];
  narrator.step('POST /auth/register, POST /auth/login', alice.registered.body.message);
  narrator.step('POST /wallets/create', { id: alice.walletId, balance: alice.wallet.body.balance });
  const added = await platform.as(alice.token, 'POST', '/wallet/add', {
    amount: 10_000,
    currency: 'USD',
    paymentMethod: CARD,
  });
  expectThat(added.status === 201 && added.body.status === 'SUCCESS', 'the card should fill the wallet', added);
  narrator.step('POST /wallet/add, 100.00 from a card', { status: added.body.status });
  const sent = await platform.as(alice.token, 'POST', '/wallets/transfer', {
    fromWallet: alice.walletId,
    toWallet: bob.walletId,
    amount: 5_000,
  });
  expectThat(sent.status === 200 && sent.body.success === true, 'the money should arrive at once', sent);
  const [left, got] = [await balanceOf(platform, alice.token), await balanceOf(platform, bob.token)];
  expectThat(left.total === 5_000 && got.total === 5_000, 'both should have half', { left, got });
  narrator.step('POST /wallets/transfer, 50.00', { alice: left.total, bob: got.total });
};

const CLIENTS = 50;

export const lastCent = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    10,
    `${CLIENTS} clients want the last cent of one wallet at the same moment`,
    'One wins. Nobody is told that he has it who has not, and no balance goes below zero.',
  );
  const [alice, bob] = [await newCustomer(platform, 'alice'), await newCustomer(platform, 'bob')];
  await platform.as(alice.token, 'POST', '/wallet/add', { amount: 100, currency: 'USD', paymentMethod: CARD });
  const send = async (amount: number): Promise<Reply> =>
    await platform.as(alice.token, 'POST', '/wallets/transfer', {
      fromWallet: alice.walletId,
      toWallet: bob.walletId,
      amount,
    });
  await send(99);
  const answers = await Promise.all(Array.from({ length: CLIENTS }, async () => await send(1)));
  const won = answers.filter(({ status }) => status === 200).length;
  const refused = answers.filter(({ body }) => body.code === 'insufficient_funds').length;
  expectThat(won === 1 && refused === CLIENTS - 1, 'one should win, the others hear why not', { won, refused });
  const [left, got] = [await balanceOf(platform, alice.token), await balanceOf(platform, bob.token)];
  expectThat(left.total === 0 && got.total === 100, 'no cent should be lost or made', { left, got });
  narrator.step(`${CLIENTS} × POST /wallets/transfer, 0.01`, { won, refused, alice: left.total, bob: got.total });
};

export const silentBank = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    11,
    'A withdrawal whose bank does not answer',
    'The money is gone from the wallet and waits; the bank is asked by our own reference until it tells. Paid once.',
  );
  const alice = await newCustomer(platform, 'alice');
  await platform.as(alice.token, 'POST', '/wallet/add', { amount: 5_000, currency: 'USD', paymentMethod: CARD });
  narrator.step('POST /wallet/withdraw, 40.00', 'the bank will be silent; waiting for it …');
  const asked = await platform.as(alice.token, 'POST', '/wallet/withdraw', {
    amount: 4_000,
    currency: 'USD',
    bankAccount: { iban: SILENT_BANK_ACCOUNT, name: 'Alice Example' },
  });
  expectThat(asked.status === 202 && asked.body.status === 'PENDING', 'nobody should guess', asked);
  narrator.step('its answer', { httpStatus: asked.status, status: asked.body.status });
  const { transactionId } = asked.body;
  const ended = await until(async () => {
    const { body } = await platform.as(alice.token, 'GET', `/transactions/${transactionId}`);
    return body.status === 'PENDING' ? undefined : body;
  }, 'the bank should be asked and tell');
  const left = await balanceOf(platform, alice.token);
  expectThat(ended.status === 'SUCCESS' && left.total === 1_000, 'it should be paid, once', { ended, left });
  narrator.step('GET /transactions/{id}, later', { status: ended.status, balance: left.total });
};
