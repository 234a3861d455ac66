import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually, merchantPrincipal, userPrincipal } from '@payflow/testing';

import {
  type Answered,
  DOUBTFUL,
  FINANCE,
  FraudUnderTest,
  payment,
  RISK,
  START_TIMEOUT_MS,
} from './fraud-under-test.js';

let fraud: FraudUnderTest;
beforeAll(async () => {
  fraud = await FraudUnderTest.start({ instances: 2 });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await fraud.stop();
});

interface Doubted {
  readonly reviewId: string;
  readonly decisionId: string;
  readonly asked: ReturnType<typeof payment>;
}

const doubted = async (over: Parameters<typeof payment>[0] = {}): Promise<Doubted> => {
  const asked = payment({ ...over, method: DOUBTFUL });
  const { body } = await fraud.judge(asked);
  return { reviewId: String(body['reviewId']), decisionId: String(body['decisionId']), asked };
};

const decide = async (
  { reviewId }: Pick<Doubted, 'reviewId'>,
  word: 'approve' | 'reject',
  more: object = {},
): Promise<Answered> => await fraud.post(`/fraud/reviews/${reviewId}/${word}`, { reason: 'Called the payer.' }, more);

const lastEvent = async (decisionId: string) => (await fraud.published(decisionId)).at(-1);

describe('a review', () => {
  it('stands in the queue until somebody approves it, and payment is told', async () => {
    const merchantId = newId('mer');
    const review = await doubted({ merchantId });
    const queue = await fraud.get(`/fraud/reviews?status=PENDING&merchantId=${merchantId}`);
    expect(queue.body['data']).toEqual([
      expect.objectContaining({ reviewId: review.reviewId, status: 'PENDING', paymentId: review.asked.subjectId }),
    ]);
    const answer = await decide(review, 'approve');
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'APPROVED', decidedBy: RISK.id, reason: 'Called the payer.' },
    });
    expect((await fraud.get(`/fraud/reviews/${review.reviewId}`)).body).toEqual(answer.body);
    expect((await fraud.get(`/fraud/reviews?status=PENDING&merchantId=${merchantId}`)).body['data']).toEqual([]);
    expect(await lastEvent(review.decisionId)).toMatchObject({
      type: 'fraud.decided.v1',
      sequence: 3,
      previousSequence: 1,
      payload: {
        stage: 'review',
        outcome: 'ALLOW',
        decidedBy: RISK.id,
        paymentId: review.asked.subjectId,
        reviewId: review.reviewId,
      },
    });
  });

  it('is decided once: the same word again changes nothing, the other is refused', async () => {
    const review = await doubted();
    await decide(review, 'reject');
    expect(await decide(review, 'reject')).toMatchObject({ status: 200, body: { status: 'REJECTED' } });
    expect(await decide(review, 'approve')).toMatchObject({ status: 409, body: { code: 'fraud_review_decided' } });
    expect(await fraud.published(review.decisionId)).toHaveLength(3);
    expect(await lastEvent(review.decisionId)).toMatchObject({ payload: { outcome: 'BLOCK' } });
  });

  it('is decided by one of two who decide at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const review = await doubted();
      const other = userPrincipal(newId('usr'), 'risk');
      const answers = await Promise.all([
        decide(review, 'approve', { at: 0, key: newId('req') }),
        decide(review, 'reject', { at: 1, as: other, key: newId('req') }),
        decide(review, 'approve', { at: 1, key: newId('req') }),
      ]);
      const { body } = await fraud.get(`/fraud/reviews/${review.reviewId}`);
      const agreeing = body['status'] === 'APPROVED' ? [200, 409, 200] : [409, 200, 409];
      expect(answers.map(({ status }) => status)).toEqual(agreeing);
      expect(await fraud.published(review.decisionId)).toHaveLength(3);
    }
  });

  it('is answered again under the same key, and not for another request', async () => {
    const review = await doubted();
    const key = newId('req');
    const first = await decide(review, 'approve', { key });
    const again = await decide(review, 'approve', { key });
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    const path = `/fraud/reviews/${review.reviewId}/approve`;
    expect(await fraud.post(path, { reason: 'Something else' }, { key })).toMatchObject({ status: 422 });
  });

  it('is rejected when nobody decided in time, once, whichever instance looks', async () => {
    const reviews = [await doubted(), await doubted(), await doubted()];
    await fraud.database.execute(
      `UPDATE fraud_reviews SET decide_by = now() - interval '1 second' WHERE id = ANY ($1::text[])`,
      [reviews.map(({ reviewId }) => reviewId)],
    );
    for (const review of reviews) {
      await eventually(async () => {
        const { body } = await fraud.get(`/fraud/reviews/${review.reviewId}`);
        expect(body).toMatchObject({ status: 'REJECTED', decidedBy: 'deadline', reason: null });
      });
      expect(await fraud.published(review.decisionId)).toHaveLength(3);
      expect(await lastEvent(review.decisionId)).toMatchObject({
        payload: { stage: 'review', outcome: 'BLOCK', decidedBy: 'deadline' },
      });
      expect(await decide(review, 'approve')).toMatchObject({ status: 409 });
    }
  });

  it('does not change what the rules said', async () => {
    const review = await doubted();
    const before = await fraud.get(`/fraud/decisions/${review.decisionId}`);
    await decide(review, 'approve');
    expect((await fraud.get(`/fraud/decisions/${review.decisionId}`)).text).toBe(before.text);
    expect((await fraud.judge(review.asked)).body).toMatchObject({ outcome: 'REVIEW', reviewId: review.reviewId });
  });

  it('needs a reason that can be read', async () => {
    const review = await doubted();
    const path = `/fraud/reviews/${review.reviewId}/approve`;
    for (const body of [
      {},
      { reason: '' },
      { reason: 'a\u0000b' },
      { reason: 'card 4242424242424242' },
      { reason: 'x'.repeat(501) },
      { why: 'x' },
    ])
      expect(await fraud.post(path, body)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });

  it('is nowhere under an id that nobody was given', async () => {
    for (const id of [newId('frv'), newId('pay'), 'x', `${newId('frv')}x`])
      for (const answer of [await fraud.get(`/fraud/reviews/${id}`), await decide({ reviewId: id }, 'approve')])
        expect(answer).toMatchObject({ status: 404, body: { code: 'fraud_review_not_found' } });
  });

  it('is for those who look after fraud', async () => {
    const review = await doubted();
    const merchant = merchantPrincipal(newId('mer'));
    for (const as of [FINANCE, merchant]) {
      expect(await fraud.get('/fraud/reviews', as)).toMatchObject({ status: 403 });
      expect(await decide(review, 'approve', { as })).toMatchObject({ status: 403 });
    }
  });
});

describe('the queue', () => {
  it('is read page by page, newest first', async () => {
    const merchantId = newId('mer');
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.unshift((await doubted({ merchantId })).reviewId);
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { body } = await fraud.get(`/fraud/reviews?limit=2&merchantId=${merchantId}${cursor}`);
      seen.push(...(body['data'] as { reviewId: string }[]).map(({ reviewId }) => reviewId));
      cursor = body['nextCursor'] === null ? '' : `&cursor=${String(body['nextCursor'])}`;
    } while (cursor !== '');
    expect(seen).toEqual(made);
    expect((await fraud.get('/fraud/reviews?status=LOST')).status).toBe(400);
  });
});
