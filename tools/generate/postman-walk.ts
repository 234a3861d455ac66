/** Whose token a request carries. */
export type Actor = 'customer' | 'merchant' | 'admin';

/** One request of the walk: a call of the API with a body that makes sense here and now. */
export interface Step {
  readonly name: string;
  /** Method and path, as the API document has them. */
  readonly call: string;
  readonly as?: Actor | 'receiver';
  readonly json?: unknown;
  /** The body has the Idempotency-Key: no header. */
  readonly keyInBody?: true;
  readonly form?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Other values for the path than the collection's variables of the same names. */
  readonly path?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Collection variables to set: name to the member of the answer (`a.b`). */
  readonly keep?: Readonly<Record<string, string>>;
  /** Further lines of the test; `answer` is the body. */
  readonly tests?: readonly string[];
}

const card = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' };
const cardMethod = { type: 'card', card };

/** From an empty account to money sent, and from a card to a refund: each request uses what those before it answered. */
export const WALK: readonly Step[] = [
  {
    name: 'A customer registers',
    call: 'POST /auth/register',
    form: { username: 'alice-{{run}}', password: '{{password}}' },
    status: 201,
    tests: ["pm.expect(answer.message).to.include('registered successfully');"],
  },
  {
    name: 'A customer logs in',
    call: 'POST /auth/login',
    form: { username: 'alice-{{run}}', password: '{{password}}' },
    status: 200,
    keep: { customerToken: 'token' },
  },
  { name: 'Who am I?', call: 'GET /me', as: 'customer', status: 200, keep: { userId: 'userId' } },
  {
    name: 'A receiver registers',
    call: 'POST /auth/register',
    json: { username: 'bob-{{run}}', password: '{{password}}' },
    status: 201,
  },
  {
    name: 'A receiver logs in',
    call: 'POST /auth/login',
    json: { username: 'bob-{{run}}', password: '{{password}}' },
    status: 200,
    keep: { receiverToken: 'token' },
  },
  {
    name: 'The customer opens a wallet',
    call: 'POST /wallets/create',
    as: 'customer',
    status: 201,
    keep: { walletId: 'id' },
    tests: ["pm.expect(answer.balance).to.equal('0.00');"],
  },
  {
    name: 'The receiver opens a wallet',
    call: 'POST /wallets/create',
    as: 'receiver',
    status: 201,
    keep: { receiverWalletId: 'id' },
  },
  {
    name: 'The customer adds 100.00 from a card',
    call: 'POST /wallet/add',
    as: 'customer',
    json: { amount: 10_000, currency: 'USD', paymentMethod: cardMethod },
    status: 201,
  },
  {
    name: 'The customer’s balance',
    call: 'GET /wallets/{walletId}/balance',
    as: 'customer',
    status: 200,
    tests: ["pm.expect(answer.balance).to.equal('100.00');"],
  },
  {
    name: 'The customer sends 50.00 by form',
    call: 'POST /wallets/transfer',
    as: 'customer',
    form: { fromWallet: '{{walletId}}', toWallet: '{{receiverWalletId}}', amount: '50.0' },
    status: 200,
    keep: { transactionId: 'transactionId' },
    tests: ['pm.expect(answer.success).to.equal(true);'],
  },
  {
    name: 'The customer’s history',
    call: 'GET /transactions',
    as: 'customer',
    status: 200,
    tests: ['pm.expect(answer.data[0].debit).to.equal(5000);'],
  },
  {
    name: 'The receiver’s balance',
    call: 'GET /wallets/{walletId}/balance',
    as: 'receiver',
    path: { walletId: '{{receiverWalletId}}' },
    status: 200,
    tests: ["pm.expect(answer.balance).to.equal('50.00');"],
  },
  {
    name: 'The merchant’s client gets a token',
    call: 'POST /oauth/token',
    form: {
      grant_type: 'client_credentials',
      client_id: '{{merchantClientId}}',
      client_secret: '{{merchantClientSecret}}',
    },
    status: 200,
    keep: { merchantToken: 'access_token' },
  },
  {
    name: 'The administrator logs in',
    call: 'POST /auth/login',
    json: { email: '{{adminEmail}}', password: '{{adminPassword}}' },
    status: 200,
    keep: { adminToken: 'token' },
  },
  {
    name: 'A card becomes a token',
    call: 'POST /tokens',
    as: 'merchant',
    json: { card, reusable: true },
    status: 201,
    keep: { tokenId: 'tokenId', merchantId: 'merchantId' },
  },
  {
    name: 'A payment is authorized with it',
    call: 'POST /payments/authorize',
    as: 'merchant',
    json: {
      amount: 1000,
      currency: 'USD',
      paymentMethod: { type: 'card', token: '{{tokenId}}' },
      capture: false,
      metadata: { orderId: 'ord_123' },
    },
    status: 201,
    keep: { paymentId: 'paymentId' },
    tests: ["pm.expect(answer.status).to.equal('AUTHORIZED');"],
  },
  {
    name: 'The payment is captured',
    call: 'POST /payments/{paymentId}/capture',
    as: 'merchant',
    json: { amount: 1000, metadata: { notes: 'finalize order' } },
    status: 200,
    tests: ["pm.expect(answer.status).to.equal('CAPTURED');"],
  },
  {
    name: 'Half of it is refunded',
    call: 'POST /payments/{paymentId}/refund',
    as: 'merchant',
    json: { amount: 500, reason: 'customer_request', metadata: {} },
    status: 200,
    keep: { refundId: 'refundId' },
    tests: ["pm.expect(answer.status).to.equal('REFUNDED');"],
  },
  {
    name: 'The payment with its ledger entries',
    call: 'GET /payments/{paymentId}',
    as: 'merchant',
    status: 200,
    tests: ['pm.expect(answer.ledgerBalance).to.equal(500);'],
  },
  {
    name: 'A card is declined',
    call: 'POST /payments/authorize',
    as: 'merchant',
    json: {
      amount: 1000,
      currency: 'USD',
      paymentMethod: { type: 'card', card: { ...card, number: '4000000000000002' } },
    },
    status: 201,
    tests: ["pm.expect(answer.lastError.code).to.equal('card_declined');"],
  },
  {
    name: 'The card payment that the documents print',
    call: 'POST /payments',
    as: 'merchant',
    json: {
      user_id: '12345',
      merchant_id: '67890',
      amount: '1000',
      currency: 'USD',
      payment_method: {
        type: 'card',
        details: { card_number: '4111111111111111', expiry_date: '12/25', cvv: '123' },
      },
      idempotency_key: '{{$guid}}',
    },
    status: 201,
    keyInBody: true,
    tests: ["pm.expect(answer.status).to.equal('completed');"],
  },
  {
    name: 'The books balance',
    call: 'GET /ledger/trial-balance',
    as: 'admin',
    status: 200,
  },
  {
    // What follows tries every other route, with this merchant and not with the one whose client runs the collection.
    name: 'A new merchant',
    call: 'POST /merchants',
    as: 'admin',
    json: { name: 'A merchant to try things with' },
    status: 201,
    keep: { merchantId: 'merchantId' },
  },
];
