import { randomInt } from 'node:crypto';

import { type LoadClient, SUCCESS } from '../load.ts';
import { HttpConnection } from './http-connection.ts';

export interface FraudDecisions {
  /** Fraud itself: the gateway does not show this door. */
  readonly address: string;
  /** Of a service. */
  readonly token: string;
  readonly merchantIds: readonly string[];
  /** So many cards, people and addresses pay. */
  readonly payers: number;
  /** Subjects begin so, and are found by it afterwards. */
  readonly subjectPrefix: string;
}

/** The payment service's question about a payment with a card, one after the other: each of a payer and a merchant at random. */
export const open = async (settings: FraudDecisions, index: number): Promise<LoadClient> => {
  const connection = await HttpConnection.open(settings.address);
  const authorization = `authorization: Bearer ${settings.token}\r\n`;
  let asked = 0;
  return {
    perform: async () => {
      const subjectId = `${settings.subjectPrefix}${String(index)}x${String((asked += 1))}`;
      const question = JSON.stringify(questionOf(settings, subjectId));
      const { status, body } = await connection.send('POST', '/internal/fraud/decisions', authorization, question);
      const answer = body.toString();
      if (status !== 200) return `${String(status)} ${/"code":"([^"]+)"/.exec(answer)?.[1] ?? ''}`;
      // Nothing here is in a list, and no rule that is enforced speaks.
      return answer.includes('"outcome":"ALLOW"') ? SUCCESS : 'not allowed';
    },
    close: () => connection.close(),
  };
};

const questionOf = ({ merchantIds, payers }: FraudDecisions, subjectId: string): Readonly<Record<string, unknown>> => {
  const payer = randomInt(payers);
  return {
    subject: 'payment',
    subjectId,
    merchantId: merchantIds[randomInt(merchantIds.length)] ?? null,
    userId: null,
    amount: 1_000 + randomInt(10_000),
    currency: 'USD',
    method: {
      type: 'card',
      brand: 'visa',
      bin: '424242',
      last4: '4242',
      fingerprint: `bench-card-${String(payer)}`,
      country: 'US',
      walletId: null,
    },
    ip: `10.${String(payer >> 16)}.${String((payer >> 8) & 255)}.${String(payer & 255)}`,
    email: `payer${String(payer)}@payflow.example`,
    at: new Date().toISOString(),
  };
};
