import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually, userPrincipal } from '@payflow/testing';

import { ForgetFeatures } from '../src/application/forget-features.js';
import { rememberCard } from '../src/store/velocity.js';
import {
  blockedByUs,
  captured,
  declined,
  disputed,
  EVENTS_PATIENCE,
  EVENTS_TIMEOUT_MS,
  FraudUnderTest,
  payment,
  START_TIMEOUT_MS,
} from './fraud-under-test.js';

let fraud: FraudUnderTest;
beforeAll(async () => {
  fraud = await FraudUnderTest.start({ instances: 2 });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await fraud.stop();
});

const velocity = (by: string, measure: string, more: object = {}): object => ({
  name: `${by} ${measure}`,
  when: { velocity: { by, window: 600, measure, ...more }, operator: 'gte', value: 3 },
  effect: 'BLOCK',
  mode: 'ENFORCED',
});

/** One payment after the other, each with something of its own. */
const outcomes = async (count: number, over: (index: number) => Parameters<typeof payment>[0]): Promise<unknown[]> => {
  const seen: unknown[] = [];
  for (let index = 0; index < count; index += 1)
    seen.push((await fraud.judge(payment(over(index)), index % 2)).body['outcome']);
  return seen;
};

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

describe('velocity', () => {
  it('counts the attempts with one card, whichever instance is asked', async () => {
    await fraud.setRules([velocity('fingerprint', 'attempts')]);
    const fingerprint = `fp_${newId('tok')}`;
    expect(await outcomes(4, () => ({ method: { fingerprint } }))).toEqual(['ALLOW', 'ALLOW', 'BLOCK', 'BLOCK']);
    expect((await fraud.judge(payment())).body).toMatchObject({ outcome: 'ALLOW' });
  });

  it('counts the cards at one address, each once', async () => {
    await fraud.setRules([velocity('ip', 'distinct_cards')]);
    const ip = '198.51.100.7';
    const fingerprint = `fp_${newId('tok')}`;
    expect(await outcomes(4, () => ({ ip, method: { fingerprint } }))).toEqual(['ALLOW', 'ALLOW', 'ALLOW', 'ALLOW']);
    expect(await outcomes(3, () => ({ ip: `::ffff:${ip}` }))).toEqual(['ALLOW', 'BLOCK', 'BLOCK']);
  });

  it('counts a card at an address that was there long ago and comes again', async () => {
    await fraud.setRules([velocity('ip', 'distinct_cards')]);
    const ip = '198.51.100.8';
    const method = { fingerprint: `fp_${newId('tok')}` };
    expect(await outcomes(1, () => ({ ip, method, at: minutesAgo(30) }))).toEqual(['ALLOW']);
    expect(await outcomes(1, () => ({ ip, method }))).toEqual(['ALLOW']);
    expect(await outcomes(2, () => ({ ip }))).toEqual(['ALLOW', 'BLOCK']);
  });

  it('counts all addresses of one IPv6 line as one', async () => {
    await fraud.setRules([velocity('ip', 'distinct_cards')]);
    const line = (index: number) => ({ ip: `2001:db8:0:7::${String(index + 1)}` });
    expect(await outcomes(3, line)).toEqual(['ALLOW', 'ALLOW', 'BLOCK']);
    expect(await outcomes(1, () => ({ ip: '2001:db8:0:8::1' }))).toEqual(['ALLOW']);
  });

  it('adds up amounts, of one currency', async () => {
    await fraud.setRules([
      {
        ...velocity('user', 'amount'),
        when: {
          velocity: { by: 'user', window: 600, measure: 'amount', currency: 'USD' },
          operator: 'gt',
          value: 2_500,
        },
      },
    ]);
    const userId = newId('usr');
    expect(await outcomes(2, () => ({ userId, amount: 5_000, currency: 'EUR' }))).toEqual(['ALLOW', 'ALLOW']);
    expect(await outcomes(3, () => ({ userId }))).toEqual(['ALLOW', 'ALLOW', 'BLOCK']);
  });

  it('counts of each window what some rule asks for, and tells nothing else of it', async () => {
    const rule = (by: string, measure: string, more: object = {}) => ({
      ...velocity(by, measure, more),
      mode: 'SHADOW',
    });
    await fraud.setRules([
      rule('merchant', 'declines'),
      rule('user', 'attempts'),
      rule('user', 'amount', { currency: 'USD' }),
      rule('user', 'distinct_cards'),
      rule('ip', 'distinct_cards'),
    ]);
    const [merchantId, userId, ip] = [newId('mer'), newId('usr'), '198.51.100.10'];
    await outcomes(2, () => ({ merchantId, userId, ip }));
    await outcomes(1, () => ({ merchantId, ip, userId, currency: 'EUR', method: { fingerprint: null } }));
    const { body } = await fraud.judge(payment({ merchantId, userId, ip }));
    const { features } = (await fraud.get(`/fraud/decisions/${String(body['decisionId'])}`)).body;
    expect((features as { velocities: unknown }).velocities).toStrictEqual([
      { by: 'merchant', window: 600, declines: 0 },
      { by: 'user', window: 600, attempts: 4, distinctCards: 3, amount: 3_000 },
      { by: 'ip', window: 600, distinctCards: 3 },
    ]);
  });

  it('forgets what was before the window', async () => {
    await fraud.setRules([velocity('fingerprint', 'attempts')]);
    const method = { fingerprint: `fp_${newId('tok')}` };
    expect(await outcomes(2, () => ({ method, at: minutesAgo(30) }))).toEqual(['ALLOW', 'ALLOW']);
    expect(await outcomes(3, () => ({ method }))).toEqual(['ALLOW', 'ALLOW', 'BLOCK']);
    // A payment of the past sees nothing of what came after it.
    expect(await outcomes(1, () => ({ method, at: minutesAgo(60) }))).toEqual(['ALLOW']);
  });

  it('counts a payment from the future as one of now', async () => {
    const method = { fingerprint: `fp_${newId('tok')}` };
    expect(await outcomes(3, () => ({ method, at: minutesAgo(-600) }))).toEqual(['ALLOW', 'ALLOW', 'BLOCK']);
  });

  it('loses no count when many pay one merchant with one card at once', async () => {
    const [merchantId, fingerprint] = [newId('mer'), `fp_${newId('tok')}`];
    const at = new Date().toISOString();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        fraud.judge(payment({ merchantId, at, ip: '198.51.100.9', method: { fingerprint } }), index % 2),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const counted = await fraud.database.query(
      `SELECT kind, sum(attempts)::int AS attempts, sum(amount_minor)::int AS amount FROM fraud_velocity
        WHERE value = ANY ($1::text[]) GROUP BY kind ORDER BY kind`,
      [[merchantId, fingerprint]],
    );
    expect(counted).toEqual([
      { kind: 'fingerprint', attempts: 60, amount: 60_000 },
      { kind: 'merchant', attempts: 60, amount: 60_000 },
    ]);
  });

  it('looks for one card without reading the others of its merchant', async () => {
    const merchantId = newId('mer');
    await fraud.database.execute(
      `INSERT INTO fraud_cards_seen SELECT 'merchant', $1, 'fp_' || n, now() FROM generate_series(1, 2000) AS n`,
      [merchantId],
    );
    const read = await fraud.database.transaction(async (tx) => {
      const rowsRead = async (): Promise<number> => {
        const [row] = await tx.query<{ rows: number }>(
          `SELECT (seq_tup_read + idx_tup_fetch)::int AS rows FROM pg_stat_xact_user_tables WHERE relname = 'fraud_cards_seen'`,
        );
        return row?.rows ?? 0;
      };
      const before = await rowsRead();
      await rememberCard(tx, [{ kind: 'merchant', value: merchantId }], 'fp_1000', new Date());
      return (await rowsRead()) - before;
    });
    // No decision was made with them: features that are made anew have none of them.
    await fraud.database.execute('DELETE FROM fraud_cards_seen WHERE value = $1', [merchantId]);
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(20);
  });

  it(
    'counts declines as their events come, and not what fraud blocked itself',
    async () => {
      await fraud.setRules([velocity('merchant', 'declines')]);
      const merchantId = newId('mer');
      const [first, second, third, blocked] = [1, 2, 3, 4].map(() => payment({ merchantId }));
      for (const one of [first, second, third, blocked]) if (one) await fraud.judge(one);
      if (!first || !second || !third || !blocked) throw new Error('four were made');
      await fraud.tell(blocked, blockedByUs);
      await fraud.tell(first, declined());
      await fraud.tell(second, declined());
      await declinesOf(merchantId, 2);
      expect((await fraud.judge(payment({ merchantId }))).body).toMatchObject({ outcome: 'ALLOW' });
      await fraud.tell(third, declined());
      await declinesOf(merchantId, 3);
      expect((await fraud.judge(payment({ merchantId }))).body).toMatchObject({
        outcome: 'BLOCK',
        reasons: [{ detail: '3 declines by merchant in 600 s ≥ 3' }],
      });
    },
    EVENTS_TIMEOUT_MS,
  );
});

const declinesOf = async (merchantId: string, count: number): Promise<void> => {
  await eventually(async () => {
    const [row] = await fraud.database.query<{ declines: number }>(
      `SELECT coalesce(sum(declines), 0)::int AS declines FROM fraud_velocity WHERE kind = 'merchant' AND value = $1`,
      [merchantId],
    );
    expect(row?.declines).toBe(count);
  }, EVENTS_PATIENCE);
};

const everything = async () => ({
  velocity: await fraud.database.query('SELECT * FROM fraud_velocity ORDER BY kind, value, minute, currency, shard'),
  cards: await fraud.database.query('SELECT * FROM fraud_cards_seen ORDER BY kind, value, fingerprint'),
  outcomes: await fraud.database.query('SELECT * FROM fraud_outcomes ORDER BY payment_id'),
});

describe('features that are made anew', () => {
  const rebuild = async (): Promise<unknown> => {
    const as = userPrincipal(newId('usr'), 'admin');
    return await fraud.ask('POST', '/internal/fraud/features/rebuild', { as });
  };

  it(
    'are the ones that were counted',
    async () => {
      const merchants = [newId('mer'), newId('mer')];
      const cards = ['fp_a', 'fp_b', 'fp_c'];
      const asked = Array.from({ length: 40 }, (_, index) =>
        payment({
          merchantId: merchants[index % 2] ?? null,
          ip: index % 4 < 2 ? `198.51.100.${String(index % 5)}` : `2001:db8:0:${String(index % 3)}::${String(index)}`,
          currency: index % 4 === 0 ? 'EUR' : 'USD',
          amount: 100 + index,
          userId: index % 3 === 0 ? null : `usr_${String(index % 7)}`,
          at: minutesAgo(index),
          method: { fingerprint: index % 6 === 0 ? null : (cards[index % 3] ?? null) },
        }),
      );
      for (const one of asked) await fraud.judge(one);
      let told = 0;
      for (const [index, one] of asked.entries()) {
        const news =
          index % 3 === 0
            ? [declined(new Date(Date.now() - index * 30_000))]
            : [captured, ...(index % 4 === 0 ? [disputed] : [])];
        await fraud.tell(one, ...news);
        told += news.length;
      }
      await eventually(async () => {
        const [row] = await fraud.database.query<{ count: number }>(
          `SELECT (count(declined_at) + count(captured_at) + count(disputed_at))::int AS count
           FROM fraud_outcomes WHERE payment_id = ANY ($1::text[])`,
          [asked.map(({ subjectId }) => subjectId)],
        );
        expect(row?.count).toBe(told);
      }, EVENTS_PATIENCE);
      const live = await everything();
      expect(live.velocity.length).toBeGreaterThan(40);
      await fraud.database.execute('DELETE FROM fraud_velocity');
      await fraud.database.execute('UPDATE fraud_cards_seen SET minute = now()');
      await fraud.database.execute('DELETE FROM fraud_outcomes');
      expect(await rebuild()).toMatchObject({ status: 200 });
      expect(await everything()).toEqual(live);
      expect(await rebuild()).toMatchObject({ status: 200 });
      expect(await everything()).toEqual(live);
    },
    EVENTS_TIMEOUT_MS,
  );

  it('miss no payment that is judged meanwhile', async () => {
    const merchantId = newId('mer');
    const judging = Array.from({ length: 30 }, (_, index) => fraud.judge(payment({ merchantId }), index % 2));
    await Promise.all([...judging, rebuild()]);
    const [row] = await fraud.database.query(
      `SELECT sum(attempts)::int AS attempts FROM fraud_velocity WHERE kind = 'merchant' AND value = $1`,
      [merchantId],
    );
    expect(row).toEqual({ attempts: 30 });
  });

  it('are for an operator alone', async () => {
    const as = userPrincipal(newId('usr'), 'risk');
    expect(await fraud.ask('POST', '/internal/fraud/features/rebuild', { as })).toMatchObject({ status: 403 });
  });
});

describe('old counts', () => {
  it('are deleted when no window reaches them any more, and others are not', async () => {
    const [old, young] = [newId('mer'), newId('mer')];
    await fraud.judge(payment({ merchantId: old, at: minutesAgo(26 * 60) }));
    await fraud.judge(payment({ merchantId: young, at: minutesAgo(23 * 60) }));
    await fraud.app().get(ForgetFeatures).pass();
    const left = async (table: string): Promise<unknown> =>
      (
        await fraud.database.query<{ value: string }>(`SELECT value FROM ${table} WHERE value = ANY ($1::text[])`, [
          [old, young],
        ])
      ).map(({ value }) => value);
    expect(await left('fraud_velocity')).toEqual([young]);
    expect(await left('fraud_cards_seen')).toEqual([young]);
  });
});
