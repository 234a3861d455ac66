import { narrator } from './narrator.ts';
import { expectThat, type Platform, until } from './platform.ts';

const cardOrder = (number: string, more: object = {}): object => ({
  amount: 1200,
  currency: 'USD',
  paymentMethod: { type: 'card', card: { number, expMonth: 12, expYear: 2034, cvc: '123' } },
  ...more,
});

/** How many authorizations the acquirer's own book has for a payment, approved and not given back. */
const chargesOf = async (platform: Platform, paymentId: string): Promise<number> => {
  const book = await platform.acquirerBook('sim', paymentId);
  const approved = (operation: string): number =>
    book.filter((line) => line.operation === operation && line.outcome === 'approved').length;
  return approved('authorize') - approved('void');
};

export const challenge = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    6,
    'The card issuer wants to hear from the payer (3-D Secure)',
    'The payment waits; nobody believes the browser, the acquirer is asked.',
  );
  const asked = await platform.merchant(
    'POST',
    '/payments/authorize',
    cardOrder('4000002500003155', { capture: true, returnUrl: 'https://shop.example/thanks' }),
  );
  expectThat(asked.status === 202 && asked.body.status === 'REQUIRES_ACTION', 'the payer should be asked', asked);
  const { paymentId, nextAction } = asked.body;
  narrator.step('POST /payments/authorize with 4000 0025 0000 3155', { httpStatus: asked.status, nextAction });
  const chosen = await fetch(nextAction.redirectUrl, {
    method: 'POST',
    body: new URLSearchParams({ choice: 'complete' }),
    redirect: 'manual',
  });
  const back = await fetch(chosen.headers.get('location') ?? '', { redirect: 'manual' });
  narrator.step('the payer presses Complete on that page, and comes back to the shop', back.headers.get('location'));
  const paid = await until(async () => {
    const { body } = await platform.merchant('GET', `/payments/${paymentId}`);
    return body.status === 'CAPTURED' ? body : undefined;
  }, 'the sale should be captured');
  narrator.step('GET /payments/{id}', { status: paid.status, captured: paid.capturedAmount });
};

export const timeoutWithEffect = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    7,
    'The acquirer charges the card and its answer is lost',
    'Nobody guesses: PROCESSING, then an inquiry by our own reference. One charge.',
  );
  narrator.step('POST /payments/authorize with 4000 0099 0000 0012', 'the acquirer will be silent; waiting for it …');
  const silent = await platform.merchant('POST', '/payments/authorize', cardOrder('4000009900000012'));
  expectThat(silent.status === 202 && silent.body.status === 'PROCESSING', 'nobody should guess', silent);
  const { paymentId } = silent.body;
  const { body: waiting } = await platform.merchant('GET', `/payments/${paymentId}`);
  narrator.step('GET /payments/{id}', {
    httpStatus: silent.status,
    status: waiting.status,
    processing: waiting.processing,
  });
  await until(async () => {
    const { body } = await platform.merchant('GET', `/payments/${paymentId}`);
    return body.status === 'AUTHORIZED' ? body : undefined;
  }, 'the inquiry should find the authorization');
  const charges = await chargesOf(platform, paymentId);
  expectThat(charges === 1, 'the book should have one authorization', charges);
  narrator.step('after the inquiry', `AUTHORIZED; authorizations in the acquirer's own book: ${charges}`);
};

export const lateSuccess = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    8,
    'The acquirer says no, and much later yes',
    'The payment has FAILED and stays so; what was charged is reversed and recorded as late_success.',
  );
  const failed = await platform.merchant('POST', '/payments/authorize', cardOrder('4000009900000061'));
  expectThat(failed.body.status === 'FAILED', 'it should be declined at first', failed);
  const { paymentId } = failed.body;
  narrator.step('POST /payments/authorize with 4000 0099 0000 0061', { status: failed.body.status });
  const attempts = await until(async () => {
    const { body } = await platform.merchant('GET', `/payments/${paymentId}/attempts`);
    return body.data.some((attempt: any) => attempt.operation === 'void' && attempt.outcome === 'approved')
      ? body.data
      : undefined;
  }, 'the late approval should be reversed');
  narrator.step(
    'GET /payments/{id}/attempts, after the webhook came',
    attempts.map((attempt: any) => `${attempt.operation} ${attempt.outcome}`).join(', '),
  );
  const { body } = await platform.merchant('GET', `/payments/${paymentId}`);
  expectThat(body.status === 'FAILED' && body.ledgerBalance === 0, 'the payment should stay as it was', body);
  narrator.step('GET /payments/{id}', { status: body.status, ledgerBalance: body.ledgerBalance });
};
