import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type SwappedCard, swappedCardHeader } from '@payflow/contracts';
import { SWAPPED_CARD_HEADER } from '@payflow/service';

import { freshKey, type Merchant, PaymentUnderTest, START_TIMEOUT_MS } from './payment-under-test.js';

let service: PaymentUnderTest;
beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});

const authorize = async (merchant: Merchant, token: string, header: string) =>
  await service.post(
    '/payments/authorize',
    { amount: 1000, currency: 'USD', paymentMethod: { type: 'card', token } },
    { as: merchant.principal, key: freshKey(), headers: { [SWAPPED_CARD_HEADER]: header } },
  );

const cardOf = (merchantId: string, tokenId: string): SwappedCard => ({
  tokenId,
  brand: 'visa',
  last4: '4242',
  bin: '424242',
  fingerprint: 'fp_4242',
  merchantId,
  userId: null,
});

it('of whose token the gateway has told is authorized without a question to the vault', async () => {
  const merchant = service.merchant();
  const token = service.vault.token(merchant.id, { reusable: false });
  const answer = await authorize(merchant, token, swappedCardHeader(cardOf(merchant.id, token)));
  expect(answer).toMatchObject({
    status: 201,
    body: { status: 'AUTHORIZED', paymentMethod: { token, brand: 'visa', last4: '4242' } },
  });
  expect(service.vault.askedAbout).not.toContain(token);
});

it.each([
  ['says nothing of the token', (mine: string) => cardOf(mine, 'tok_01m7zac4sffzw8mqke00g4b8gs')],
  ['tells of another merchant', (_: string, token: string) => cardOf('mer_01m7zac4sffzw8mqk5gccg9wdc', token)],
  ['tells of a user', (mine: string, token: string) => ({ ...cardOf(mine, token), userId: 'usr_1' })],
])('is asked about where the header %s', async (_, told) => {
  const merchant = service.merchant();
  const token = service.vault.token(merchant.id, { reusable: false });
  const answer = await authorize(merchant, token, swappedCardHeader(told(merchant.id, token)));
  expect(answer.status).toBe(201);
  expect(service.vault.askedAbout).toContain(token);
});

it('is asked about where the header cannot be read', async () => {
  const merchant = service.merchant();
  expect((await authorize(merchant, merchant.token, 'e30')).status).toBe(201);
  expect((await authorize(merchant, merchant.token, '%%%')).status).toBe(201);
  expect(service.vault.askedAbout.filter((token) => token === merchant.token)).toHaveLength(2);
});

it('of another merchant is not charged although a forged header says that it is ours', async () => {
  const [merchant, other] = [service.merchant(), service.merchant()];
  const theirs = service.vault.token(other.id, { reusable: false });
  const answer = await authorize(merchant, theirs, swappedCardHeader(cardOf(merchant.id, theirs)));
  expect(answer).toMatchObject({ status: 201, body: { status: 'FAILED', lastError: { code: 'token_unusable' } } });
  const operations = await service.operations(answer.body['paymentId'] as string);
  expect(service.acquirer.approved('authorize', operations)).toEqual([]);
});
