import { randomUUID } from 'node:crypto';

import { type LoadClient, SUCCESS } from '../load.ts';
import { type HttpAnswer, HttpConnection } from './http-connection.ts';

export interface PaymentsLoad {
  /** The gateway. */
  readonly address: string;
  /** Of merchants; requests take turns, since each has a rate limit of its own. */
  readonly tokens: readonly string[];
  readonly what: 'authorize' | 'authorize and capture' | 'read';
  /** For `read`: payments and whose token sees them. */
  readonly payments?: readonly { readonly paymentId: string; readonly token: string }[];
}

const CARD = '{"type":"card","card":{"number":"4242424242424242","expMonth":12,"expYear":2034,"cvc":"123"}}';
const AUTHORIZE = `{"amount":1000,"currency":"USD","paymentMethod":${CARD}}`;

/** A merchant's server: one payment, or one look at a payment, after the other. */
export const open = async (settings: PaymentsLoad, index: number): Promise<LoadClient> => {
  const connection = await HttpConnection.open(settings.address);
  // Clients begin at different merchants.
  let turn = index;
  const authorizationOf = (token: string): string => `authorization: Bearer ${token}\r\n`;
  const nextToken = (): string => settings.tokens[(turn += 1) % settings.tokens.length] ?? '';
  const post = async (token: string, path: string, body: string): Promise<HttpAnswer> =>
    await connection.send('POST', path, `${authorizationOf(token)}idempotency-key: ${randomUUID()}\r\n`, body);
  const authorize = async (token: string): Promise<HttpAnswer> => await post(token, '/payments/authorize', AUTHORIZE);
  const perform: Readonly<Record<PaymentsLoad['what'], () => Promise<string>>> = {
    authorize: async () => outcomeOf(await authorize(nextToken())),
    'authorize and capture': async () => {
      const token = nextToken();
      const authorized = await authorize(token);
      if (authorized.status !== 201) return outcomeOf(authorized);
      return outcomeOf(await post(token, `/payments/${paymentIdIn(authorized)}/capture`, '{}'));
    },
    read: async () => {
      const { payments = [] } = settings;
      const payment = payments[Math.floor(Math.random() * payments.length)];
      if (payment === undefined) throw new Error('there is no payment to read');
      return outcomeOf(await connection.send('GET', `/payments/${payment.paymentId}`, authorizationOf(payment.token)));
    },
  };
  return { perform: perform[settings.what], close: () => connection.close() };
};

const outcomeOf = ({ status, head, body }: HttpAnswer): string => {
  if (status === 200 || status === 201) return SUCCESS;
  const code = /"code":"([^"]+)"/.exec(body.toString())?.[1] ?? '';
  const unpromised = (status === 429 || status === 503) && !/\r\nretry-after: *\d/i.test(head);
  return `${String(status)} ${code}${unpromised ? ' without Retry-After' : ''}`;
};

const paymentIdIn = ({ body }: HttpAnswer): string => /"paymentId":"([^"]+)"/.exec(body.toString())?.[1] ?? '';
