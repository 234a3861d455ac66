import { disputeLost, fraudReview, reconciliation, settlementToBank, webhookRecovers } from './card-to-bank.ts';
import { narrator } from './narrator.ts';
import { expectThat, inDatabase, type Platform, until } from './platform.ts';
import { challenge, lateSuccess, timeoutWithEffect } from './unusual-outcomes.ts';
import { firstTransfer, lastCent, silentBank } from './wallets.ts';

const CARD = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' };
const order = (amount: number, number = CARD.number): object => ({
  amount,
  currency: 'USD',
  paymentMethod: { type: 'card', card: { ...CARD, number } },
});
const summary = (payment: any): object => ({
  paymentId: payment.paymentId,
  status: payment.status,
  captured: payment.capturedAmount,
  refunded: payment.refundedAmount,
});
const linesOf = (payment: any): string =>
  payment.ledgerEntries.map((entry: any) => `${entry.type} ${entry.amount}`).join(', ');

const authorizeAndCapture = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    1,
    'A card payment is authorized, then captured',
    'The hold comes first, the money when the goods are sent.',
  );
  const authorized = await platform.merchant('POST', '/payments/authorize', order(1000));
  expectThat(authorized.body.status === 'AUTHORIZED', 'the payment should be authorized', authorized);
  narrator.step('POST /payments/authorize with 4242…', summary(authorized.body));
  const captured = await platform.merchant('POST', `/payments/${authorized.body.paymentId}/capture`, {});
  expectThat(captured.body.capturedAmount === 1000, 'all of it should be captured', captured);
  narrator.step('POST /payments/{id}/capture', summary(captured.body));
  const read = await platform.merchant('GET', `/payments/${authorized.body.paymentId}`);
  expectThat(read.body.ledgerBalance === 1000, 'the ledger should hold 1000', read);
  narrator.step(
    'GET /payments/{id}: the ledger says the same, at once',
    `balance ${read.body.ledgerBalance}, fee ${read.body.feeAmount}: ${linesOf(read.body)}`,
  );
};

const partialRefund = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    2,
    'Part of it is refunded, and never more than was captured',
    'A refund is an object with a life of its own.',
  );
  const sale = await platform.merchant('POST', '/payments/authorize', { ...order(1000), capture: true });
  const refund = await platform.merchant('POST', `/payments/${sale.body.paymentId}/refund`, {
    amount: 400,
    reason: 'customer_request',
  });
  expectThat(
    refund.body.status === 'REFUNDED' && refund.body.paymentStatus === 'PARTIALLY_REFUNDED',
    '400 should be refunded',
    refund,
  );
  narrator.step('POST /payments/{id}/refund 400', {
    refundId: refund.body.refundId,
    paymentStatus: refund.body.paymentStatus,
  });
  const tooMuch = await platform.merchant('POST', `/payments/${sale.body.paymentId}/refund`, { amount: 601 });
  expectThat(tooMuch.status === 409, '601 of the remaining 600 should be refused', tooMuch);
  narrator.step('POST /payments/{id}/refund 601', {
    status: tooMuch.status,
    code: tooMuch.body.code,
    detail: tooMuch.body.detail,
  });
};

const decline = async (platform: Platform): Promise<void> => {
  narrator.scenario(3, 'A card is declined', 'The payment exists and says why; no money moved.');
  const declined = await platform.merchant('POST', '/payments/authorize', order(1000, '4000000000009995'));
  expectThat(
    declined.body.status === 'FAILED' && declined.body.lastError.declineCode === 'insufficient_funds',
    'the card should be declined',
    declined,
  );
  narrator.step('POST /payments/authorize with …9995', {
    httpStatus: declined.status,
    status: declined.body.status,
    lastError: declined.body.lastError,
  });
};

const doubleSubmit = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    4,
    'The same request is sent twice',
    'One key, one effect, byte-equal answers; without a key it is refused as a duplicate.',
  );
  const key = crypto.randomUUID();
  const first = await platform.merchant('POST', '/payments/authorize', order(1500), key);
  const second = await platform.merchant('POST', '/payments/authorize', order(1500), key);
  expectThat(
    second.replayed && second.text === first.text,
    'the second answer should be the first, byte by byte',
    second,
  );
  narrator.step(
    'twice with one Idempotency-Key',
    `one payment ${first.body.paymentId}; the answers are byte-equal: ${first.text === second.text}`,
  );
  const other = await platform.merchant('POST', '/payments/authorize', order(1600), key);
  expectThat(other.status === 422, 'another request with the key should be refused', other);
  narrator.step('the same key with another amount', { status: other.status, code: other.body.code });
};

/** An amount nobody uses, which the ledger is made to refuse for a while. */
const CURSED_AMOUNT = 66_613;

const poison = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    5,
    'The ledger cannot apply a message: parked, dead-lettered, replayed',
    'For a while its database refuses one amount, as a bad deployment might. Nobody else waits.',
  );
  await inDatabase(
    platform,
    'ledger',
    `ALTER TABLE entries ADD CONSTRAINT demo_curse CHECK (amount <> ${CURSED_AMOUNT}) NOT VALID`,
  );
  try {
    const cursed = await platform.merchant('POST', '/payments/authorize', { ...order(CURSED_AMOUNT), capture: true });
    expectThat(cursed.body.status === 'CAPTURED', 'payments go on', cursed);
    narrator.step(`a sale of ${CURSED_AMOUNT}: the payment does not care`, summary(cursed.body));
    const healthy = await platform.merchant('POST', '/payments/authorize', { ...order(2000), capture: true });
    const read = await platform.merchant('GET', `/payments/${healthy.body.paymentId}`);
    expectThat(read.body.ledgerBalance === 2000, 'another payment of the same merchant should not wait', read);
    narrator.step('the next sale of the same merchant is in the ledger at once', `balance ${read.body.ledgerBalance}`);
    const letter = await until(async () => {
      const { body } = await platform.admin('GET', '/operations/ledger/dead-letters?status=open&limit=100');
      return body.data.find((candidate: any) => candidate.aggregateId === cursed.body.paymentId);
    }, 'the message should become a dead letter');
    narrator.step('after its tries the message is a dead letter', {
      topic: letter.topic,
      attempts: letter.attempts,
      errorLine: letter.errorLine,
    });
    const before = await platform.admin('POST', `/operations/ledger/dead-letters/${letter.deadLetterId}/dry-run`, {});
    narrator.step('would it work now? (dry run)', before.body);
    await inDatabase(platform, 'ledger', 'ALTER TABLE entries DROP CONSTRAINT demo_curse');
    const after = await platform.admin('POST', `/operations/ledger/dead-letters/${letter.deadLetterId}/dry-run`, {});
    expectThat(
      after.body.wouldSucceed === true && before.body.wouldSucceed === false,
      'the dry run should tell before from after',
      { before, after },
    );
    narrator.step('the database is mended; would it work now?', after.body);
    await platform.admin('POST', `/operations/ledger/dead-letters/${letter.deadLetterId}/replay`, {});
    const mended = await until(async () => {
      const { body } = await platform.merchant('GET', `/payments/${cursed.body.paymentId}`);
      return body.ledgerBalance === CURSED_AMOUNT ? body : undefined;
    }, 'the replay should reach the ledger');
    narrator.step(
      'replayed, with everything that waited behind it, once',
      `balance ${mended.ledgerBalance}: ${linesOf(mended)}`,
    );
  } finally {
    await inDatabase(platform, 'ledger', 'ALTER TABLE entries DROP CONSTRAINT IF EXISTS demo_curse');
  }
};

export const SCENARIOS: readonly ((platform: Platform) => Promise<void>)[] = [
  authorizeAndCapture,
  partialRefund,
  decline,
  doubleSubmit,
  poison,
  challenge,
  timeoutWithEffect,
  lateSuccess,
  firstTransfer,
  lastCent,
  silentBank,
  fraudReview,
  webhookRecovers,
  disputeLost,
  settlementToBank,
  reconciliation,
];
