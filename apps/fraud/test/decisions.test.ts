import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { userPrincipal } from '@payflow/testing';
import { newId } from '@payflow/kernel';

import { DOUBTFUL, FraudUnderTest, payment, START_TIMEOUT_MS } from './fraud-under-test.js';

let fraud: FraudUnderTest;
beforeAll(async () => {
  fraud = await FraudUnderTest.start({ instances: 2 });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await fraud.stop();
});

const countOf = async (subjectId: string): Promise<bigint> =>
  (
    await fraud.database.query<{ count: bigint }>('SELECT count(*) FROM fraud_decisions WHERE subject_id = $1', [
      subjectId,
    ])
  )[0]?.count ?? 0n;

describe('POST /internal/fraud/decisions', () => {
  it('lets an ordinary payment pass and tells it once', async () => {
    const { status, body } = await fraud.judge(payment());
    expect(status).toBe(200);
    expect(body).toMatchObject({
      outcome: 'ALLOW',
      score: 0,
      reasons: [],
      rulesVersion: 0,
      reviewId: null,
      decideBy: null,
    });
    const [event, ...more] = await fraud.published(String(body['decisionId']));
    expect(event).toMatchObject({
      type: 'fraud.decided.v1',
      sequence: 1,
      payload: { stage: 'rules', outcome: 'ALLOW' },
    });
    expect(more).toEqual([]);
  });

  it('blocks the test card that is always blocked, and says why', async () => {
    const { body } = await fraud.judge(payment({ method: { bin: '41000000', last4: '0019' } }));
    expect(body).toMatchObject({
      outcome: 'BLOCK',
      reasons: [
        { name: 'Test card: always blocked', effect: 'BLOCK', detail: expect.stringContaining('bin 41000000') },
      ],
    });
    expect((await fraud.published(String(body['decisionId']))).map(({ type }: { type?: string }) => type)).toEqual([
      'fraud.decided.v1',
      'fraud.flagged.v1',
    ]);
  });

  it('leaves the doubtful test card to people, until a deadline', async () => {
    const before = Date.now();
    const { body } = await fraud.judge(payment({ method: DOUBTFUL }));
    expect(body).toMatchObject({ outcome: 'REVIEW', reviewId: expect.stringMatching(/^frv_/) });
    expect(Date.parse(String(body['decideBy'])) - before).toBeGreaterThanOrEqual(86_400_000);
  });

  it('tells no to what cannot wait for people', async () => {
    const transfer = payment({
      subject: 'wallet_transfer',
      subjectId: newId('txn'),
      merchantId: null,
      method: DOUBTFUL,
    });
    const { body } = await fraud.judge(transfer);
    expect(body).toMatchObject({ outcome: 'BLOCK', reviewId: null, reasons: [{ effect: 'REVIEW' }] });
    expect(await fraud.published(String(body['decisionId']))).toEqual([]);
  });

  it('answers the same subject with the same decision, whenever and wherever it is asked again', async () => {
    const asked = payment({ method: DOUBTFUL });
    const answers = await Promise.all([0, 1, 0, 1, 0, 1].map((instance) => fraud.judge(asked, instance)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const at = new Date(Date.now() + 60_000).toISOString();
    const again = await fraud.judge({ ...asked, at, ip: '192.0.2.9', ipCountry: 'FR', email: 'ann@example.com' }, 1);
    expect(again.text).toBe(answers[0]?.text);
    expect(await countOf(asked.subjectId)).toBe(1n);
    const counted = await fraud.database.query(
      `SELECT sum(attempts)::int AS attempts FROM fraud_velocity WHERE kind = 'fingerprint' AND value = $1`,
      [asked.method.fingerprint],
    );
    expect(counted).toEqual([{ attempts: 1 }]);
  });

  it('refuses the same subject with other content', async () => {
    const asked = payment();
    await fraud.judge(asked);
    for (const other of [
      { ...asked, amount: asked.amount + 1 },
      { ...asked, method: { ...asked.method, fingerprint: 'fp_other' } },
      { ...asked, merchantId: newId('mer') },
    ])
      expect(await fraud.judge(other)).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it.each<[string, (asked: ReturnType<typeof payment>) => unknown]>([
    ['no subject', ({ subjectId: _, ...rest }) => rest],
    ['a subject that is no id', (asked) => ({ ...asked, subjectId: 'pay_\u0000' })],
    ['an amount of nothing', (asked) => ({ ...asked, amount: 0 })],
    ['an amount that is no number', (asked) => ({ ...asked, amount: '10.00' })],
    ['a currency that there is not', (asked) => ({ ...asked, currency: 'XXQ' })],
    ['an email with a NUL', (asked) => ({ ...asked, email: 'a\u0000@example.com' })],
    ['half a character', (asked) => ({ ...asked, userId: 'usr_\ud800' })],
    [
      'a card number where the fingerprint belongs',
      (asked) => ({ ...asked, method: { ...asked.method, fingerprint: '4242424242424242' } }),
    ],
    ['a country that is no code', (asked) => ({ ...asked, method: { ...asked.method, country: 'usa' } })],
    ['an address in a country that is no code', (asked) => ({ ...asked, ipCountry: 'T1' })],
    ['a field that there is not', (asked) => ({ ...asked, risk: 'none' })],
  ])('refuses %s', async (_, broken) => {
    expect(await fraud.judge(broken(payment()) as ReturnType<typeof payment>)).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
  });

  it('takes an address that is none for no address', async () => {
    expect(await fraud.judge(payment({ ip: 'not-an-address', email: 'nobody' }))).toMatchObject({ status: 200 });
  });

  it('is for services alone', async () => {
    const asked = { body: payment() };
    expect(await fraud.ask('POST', '/internal/fraud/decisions', asked)).toMatchObject({ status: 401 });
    const as = userPrincipal(newId('usr'), 'admin');
    expect(await fraud.ask('POST', '/internal/fraud/decisions', { ...asked, as })).toMatchObject({ status: 403 });
  });
});
