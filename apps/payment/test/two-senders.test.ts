import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ResolveOrders } from '../src/application/resolve-orders.js';
import { AcquirerFake } from './acquirer-fake.js';
import type { Reply } from './contract-server.js';
import { PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

const signal = (): { readonly given: Promise<void>; readonly give: () => void } => {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
};

/** Turns the first of two requests away when the second has had its effect, and never answers the second. */
class BusyThenSilent extends AcquirerFake {
  readonly firstArrived = signal();
  readonly secondMayEnd = signal();
  private readonly secondTookEffect = signal();
  private count = 0;

  override async authorize(body: unknown, idempotencyKey: string | undefined): Promise<Reply> {
    this.count += 1;
    if (this.count === 1) {
      this.firstArrived.give();
      await this.secondTookEffect.given;
      return { status: 429, body: {} };
    }
    const reply = await super.authorize(body, idempotencyKey);
    if (this.count > 2) return reply;
    this.secondTookEffect.give();
    await this.secondMayEnd.given;
    return 'silence';
  }
}

let second: BusyThenSilent;
let service: PaymentUnderTest;
beforeAll(async () => {
  second = new BusyThenSilent();
  service = await PaymentUnderTest.start({}, { sim2: second });
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(second.server.violations).toEqual([]);
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
  await second.server.close();
});

it('an order that its request and a webhook send at once has not failed because one of them was turned away', async () => {
  const merchant = service.merchant();
  service.acquirer.next('authorize', 'technical decline');
  const refusal = service.acquirer.hold('authorize');
  const answer = service.authorize(merchant);
  await refusal.arrived;
  const [order] = await service.database.query<{ payment_id: string; attempt_id: string }>(
    'SELECT payment_id, attempt_id FROM payment_attempts JOIN payments ON id = payment_id WHERE merchant_id = $1',
    [merchant.id],
  );
  if (!order) throw new Error('given: an order at the first acquirer');
  const { payment_id: paymentId, attempt_id: attemptId } = order;
  const cause = { requestId: 'webhook:1', principalId: 'psp:sim' };
  const byWebhook = service.app.get(ResolveOrders).resolve(paymentId, attemptId, cause);
  await second.firstArrived.given;
  refusal.open();
  await byWebhook;
  second.secondMayEnd.give();
  expect(await answer).toMatchObject({ status: 202, body: { status: 'PROCESSING' } });
  await service.recover(paymentId);
  expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
    status: 'AUTHORIZED',
    acquirer: 'sim2',
  });
  expect(second.held(await service.operations(paymentId))).toHaveLength(1);
});
