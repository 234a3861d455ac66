import { type Call, type Connection, expectSuccess } from './connection.ts';
import { authorize, type PaymentAnswer } from './payments.ts';
import { facts, type Shown } from './shown.ts';

interface Scene {
  readonly card: string;
  readonly capture: boolean;
  /** What follows the authorization. */
  readonly then?: 'cancel' | 'refund';
  readonly note?: string;
}

const OK = '4242424242424242';

/** What has to be done for an event to happen. Some come a moment later, from the acquirer. */
export const SCENES: Readonly<Record<string, Scene>> = {
  'payment.created': { card: OK, capture: false },
  'payment.authorized': { card: OK, capture: false },
  'payment.captured': { card: OK, capture: true },
  'payment.failed': { card: '4000000000000002', capture: false },
  'payment.canceled': { card: OK, capture: false, then: 'cancel' },
  'payment.refunded': { card: OK, capture: true, then: 'refund' },
  'payment.requires_action': { card: '4000002500003155', capture: false },
  'payment.in_review': { card: '4000000000009235', capture: false },
  'refund.failed': {
    card: '4000000000005126',
    capture: true,
    then: 'refund',
    note: 'The refund succeeds first and fails a moment later.',
  },
  'dispute.opened': { card: '4000000000000259', capture: true, note: 'The dispute is raised a moment later.' },
};

/** Makes an event happen: not a made-up one, but by a payment that has it. */
export const trigger = async ({ asMerchant }: Connection, event: string, scene: Scene): Promise<Shown> => {
  const payment = await authorize(asMerchant, { amount: 2_000, currency: 'USD', ...scene });
  const done = scene.then === undefined ? payment : await follow(asMerchant, payment, scene.then);
  return {
    json: { event, paymentId: payment.paymentId, result: done },
    text: facts({
      event,
      payment: payment.paymentId,
      status: done.status,
      ...(scene.note === undefined ? {} : { note: scene.note }),
    }),
  };
};

const follow = async (call: Call, { paymentId }: PaymentAnswer, step: 'cancel' | 'refund'): Promise<PaymentAnswer> =>
  expectSuccess<PaymentAnswer>(await call('POST', `/payments/${paymentId}/${step}`, {}));
