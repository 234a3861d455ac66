import { type Answer, call, newKey } from '../stack.js';

/** A body as `curl -d a=1 -d b=2` sends it. */
export const form = (fields: Readonly<Record<string, string>>) => ({
  raw: new URLSearchParams(fields).toString(),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

/** A body as `curl -F a=1 -F b=2` sends it. */
export const multipart = async (fields: Readonly<Record<string, string>>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  const encoded = new Response(data);
  return { raw: await encoded.text(), headers: { 'content-type': encoded.headers.get('content-type') ?? '' } };
};

export const PASSWORD = 'secret123';

/** A person as the documents print him: registered and logged in by form, with a name of his own. */
export interface Person {
  readonly username: string;
  readonly token: string;
  readonly userId: string;
}

/** The name that the document prints, or one like it where an earlier run on this stack has taken it. */
export const registered = async (
  name: string,
): Promise<{ readonly username: string; readonly answer: Answer<any> }> => {
  const answer = await call('POST', '/auth/register', form({ username: name, password: PASSWORD }));
  if (answer.status !== 409) return { username: name, answer };
  return await registered(`${name.split('-', 1)[0] ?? name}-${newKey().slice(0, 8)}`);
};

export const loggedIn = async (username: string): Promise<Person> => {
  const answer = await call<any>('POST', '/auth/login', form({ username, password: PASSWORD }));
  if (answer.status !== 200) throw new Error(`no login: ${answer.status} ${answer.text}`);
  const token = answer.body.token as string;
  const me = await call<any>('GET', '/me', { token });
  return { username, token, userId: me.body.userId as string };
};

export const newPerson = async (name: string): Promise<Person> => await loggedIn((await registered(name)).username);

/** A wallet of the person's in this currency. */
export const newWallet = async ({ token }: Person, currency?: string): Promise<string> => {
  const body = currency === undefined ? {} : { body: { currency } };
  const answer = await call<any>('POST', '/wallets/create', { token, key: newKey(), ...body });
  if (answer.status !== 201) throw new Error(`no wallet: ${answer.status} ${answer.text}`);
  return answer.body.id as string;
};

/** Puts money into the oldest wallet of the currency, from a card. */
export const fund = async ({ token }: Person, amount: number, currency: string): Promise<Answer<any>> =>
  await call<any>('POST', '/wallet/add', {
    token,
    key: newKey(),
    body: {
      amount,
      currency,
      paymentMethod: { type: 'card', card: { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123' } },
    },
  });

export const balanceOf = async ({ token }: Person, walletId: string): Promise<Answer<any>> =>
  await call<any>('GET', `/wallets/${walletId}/balance`, { token });
