import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';

import {
  EVENTS_PATIENCE,
  EVENTS_TIMEOUT_MS,
  declined,
  disputed,
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

const THRESHOLDS = { review: 50, block: 90 };
const large = (over: object = {}): object => ({
  name: 'Large',
  when: { field: 'amount', currency: 'USD', operator: 'gte', value: 5_000 },
  effect: 'BLOCK',
  mode: 'ENFORCED',
  ...over,
});
const put = async (body: unknown, headers: Readonly<Record<string, string>> = {}, at = 0) =>
  await fraud.ask('PUT', '/fraud/rules', { as: RISK, key: newId('req'), body, headers, at });
const version = async (): Promise<number> => Number((await fraud.get('/fraud/rules')).body['version']);

describe('the rules', () => {
  it('are at first the ones that PayFlow comes with', async () => {
    const { status, body, headers } = await fraud.get('/fraud/rules');
    expect([status, headers['etag'], body['version'], body['createdBy']]).toEqual([200, '"0"', 0, null]);
    expect(body['rules']).toHaveLength(7);
  });

  it('are set as a whole and get a version; what somebody changed meanwhile is not overwritten', async () => {
    const before = await version();
    const first = await put({ rules: [large()], thresholds: THRESHOLDS }, { 'if-match': `"${String(before)}"` });
    expect(first).toMatchObject({ status: 200, body: { version: before + 1, createdBy: RISK.id } });
    expect(first.body['rules']).toEqual([{ id: expect.stringMatching(/^frl_/), ...large() }]);
    const late = await put({ rules: [], thresholds: THRESHOLDS }, { 'if-match': `"${String(before)}"` });
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect((await fraud.get('/fraud/rules')).body).toEqual(first.body);
  });

  it('keep every version, and every decision names its own', async () => {
    const judged = await fraud.judge(payment({ amount: 5_000 }));
    const old = await version();
    expect(judged.body).toMatchObject({ outcome: 'BLOCK', rulesVersion: old });
    const oldRules = (await fraud.get('/fraud/rules')).body;
    await fraud.setRules([]);
    expect((await fraud.judge(payment({ amount: 5_000 }))).body).toMatchObject({
      outcome: 'ALLOW',
      rulesVersion: old + 1,
    });
    expect((await fraud.get(`/fraud/rules?version=${String(old)}`)).body).toEqual(oldRules);
    expect((await fraud.get(`/fraud/decisions/${String(judged.body['decisionId'])}`)).body).toMatchObject({
      rulesVersion: old,
      reasons: [{ name: 'Large', detail: 'amount 5000 USD ≥ 5000' }],
    });
    expect(await fraud.get('/fraud/rules?version=999999')).toMatchObject({ status: 404 });
    await expect(fraud.database.execute('UPDATE fraud_rule_sets SET created_by = $1', ['x'])).rejects.toThrow(
      /permission/,
    );
    await expect(fraud.database.execute('DELETE FROM fraud_decisions')).rejects.toThrow(/permission/);
  });

  it('hold at every instance from the next payment on', async () => {
    await fraud.judge(payment(), 1);
    await fraud.setRules([large()]);
    expect((await fraud.judge(payment({ amount: 6_000 }), 1)).body).toMatchObject({
      outcome: 'BLOCK',
      rulesVersion: await version(),
    });
  });

  it('keep their ids, so that their statistics go on', async () => {
    const [rule] = (await fraud.setRules([large()])).body['rules'] as { id: string }[];
    const again = await fraud.setRules([{ ...large({ name: 'Very large' }), id: rule?.id }]);
    expect(again.body['rules']).toMatchObject([{ id: rule?.id, name: 'Very large' }]);
  });

  it('are set by one of two who set them at once', async () => {
    const before = await version();
    const answers = await Promise.all(
      [0, 1, 0, 1].map((at) =>
        put({ rules: [large()], thresholds: THRESHOLDS }, { 'if-match': `"${String(before)}"` }, at),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => [200, 409, 412].includes(status))).toBe(true);
    expect(await version()).toBe(before + 1);
  });

  it.each<[string, unknown, string]>([
    ['a condition that is none', { rules: [large({ when: 'amount > 5' })], thresholds: THRESHOLDS }, '/rules/0/when'],
    [
      'a field that there is not',
      { rules: [large({ when: { field: 'mood', operator: 'is', value: 'bad' } })], thresholds: THRESHOLDS },
      '/rules/0/when/field',
    ],
    ['no thresholds', { rules: [] }, '/thresholds'],
    ['a member that there is not', { rules: [], thresholds: THRESHOLDS, code: 'return true' }, '/code'],
    ['rules that are none', { rules: 'all of them', thresholds: THRESHOLDS }, '/rules'],
  ])('are not set with %s', async (_, body, pointer) => {
    const before = await version();
    const answer = await put(body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect((answer.body['errors'] as { pointer: string }[]).map((error) => error.pointer)).toContain(pointer);
    expect(await version()).toBe(before);
  });

  it('are not set when they are nested without end, or larger than anybody writes', async () => {
    const deep = `{"rules":[{"when":${'{"all":['.repeat(5_000)}${']}'.repeat(5_000)}}]}`;
    expect(await put(deep)).toMatchObject({ status: 400 });
    expect(await put({ rules: [large({ description: 'x'.repeat(200_000) })], thresholds: THRESHOLDS })).toMatchObject({
      status: 413,
    });
    expect(await put('{"rules": [')).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
  });

  it('are for those who look after fraud', async () => {
    expect(await fraud.get('/fraud/rules', FINANCE)).toMatchObject({ status: 403 });
    expect(
      await fraud.ask('PUT', '/fraud/rules', { as: FINANCE, body: { rules: [], thresholds: THRESHOLDS } }),
    ).toMatchObject({ status: 403 });
  });
});

describe('shadow rules', () => {
  it(
    'decide nothing, and are counted with what became of the payments',
    async () => {
      const [rule] = (await fraud.setRules([large({ mode: 'SHADOW' })])).body['rules'] as { id: string }[];
      const [first, second] = [payment({ amount: 9_000 }), payment({ amount: 9_000 })];
      for (const one of [first, second])
        expect((await fraud.judge(one)).body).toMatchObject({ outcome: 'ALLOW', reasons: [] });
      await fraud.judge(payment());
      await fraud.tell(first, declined());
      await fraud.tell(second, disputed);
      await eventually(async () => {
        const { body } = await fraud.get('/fraud/rules/statistics?days=1');
        expect((body['data'] as { ruleId: string }[]).find(({ ruleId }) => ruleId === rule?.id)).toEqual({
          ruleId: rule?.id,
          mode: 'SHADOW',
          matched: 2,
          allowed: 2,
          reviewed: 0,
          blocked: 0,
          declined: 1,
          disputed: 1,
        });
      }, EVENTS_PATIENCE);
      expect((await fraud.get('/fraud/rules/statistics?days=0')).status).toBe(400);
    },
    EVENTS_TIMEOUT_MS,
  );
});

describe('a dry run', () => {
  const dryRun = async (body: object) => await fraud.post('/fraud/dry-run', { thresholds: THRESHOLDS, ...body });

  it('says which past decisions would have been others, with examples, and changes nothing', async () => {
    await fraud.setRules([]);
    const merchantId = newId('mer');
    for (const amount of [1_000, 5_000, 6_000, 7_000]) await fraud.judge(payment({ merchantId, amount }));
    const before = await version();
    const { status, body } = await dryRun({ rules: [large({ effect: 'REVIEW' })], merchantId });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      decisions: 4,
      changed: 3,
      changes: [{ from: 'ALLOW', to: 'REVIEW', count: 3 }],
      complete: true,
    });
    expect(body['examples']).toHaveLength(3);
    expect(body['examples']).toContainEqual(
      expect.objectContaining({
        from: 'ALLOW',
        to: 'REVIEW',
        reasons: [expect.objectContaining({ detail: 'amount 5000 USD ≥ 5000' })],
      }),
    );
    expect((await dryRun({ rules: [], merchantId })).body).toMatchObject({
      decisions: 4,
      changed: 0,
      changes: [],
      examples: [],
    });
    expect((await dryRun({ rules: [large()], merchantId, decisions: 2 })).body).toMatchObject({
      decisions: 2,
      changed: 2,
    });
    expect(await version()).toBe(before);
  });

  it(
    'counts over windows that nobody looked at then, as if the rules had held',
    async () => {
      const rules = ['attempts', 'distinct_cards', 'declines'].map((measure) => ({
        name: measure,
        when: { velocity: { by: 'ip', window: 3_600, measure }, operator: 'gte', value: 3 },
        effect: 'BLOCK',
        mode: 'ENFORCED',
      }));
      await fraud.setRules([]);
      const merchantId = newId('mer');
      const ip = '203.0.113.77';
      const history = [50, 40, 30, 20, 10, 0].map((minutes, index) =>
        payment({
          merchantId,
          ip,
          at: new Date(Date.now() - minutes * 60_000).toISOString(),
          method: { fingerprint: `fp_dry_${String(index % 2)}` },
        }),
      );
      for (const one of history) await fraud.judge(one);
      const [attempts, cards, declines] = rules;
      expect((await dryRun({ rules: [attempts], merchantId })).body).toMatchObject({ decisions: 6, changed: 4 });
      expect((await dryRun({ rules: [cards], merchantId })).body).toMatchObject({ decisions: 6, changed: 0 });
      for (const [index, one] of history.slice(0, 3).entries())
        await fraud.tell(one, declined(new Date(Date.now() - (35 - index) * 60_000)));
      await eventually(async () => {
        // Declined 35 to 33 minutes ago: the attempts 30, 20, 10 and 0 minutes ago saw three.
        expect((await dryRun({ rules: [declines], merchantId })).body).toMatchObject({ decisions: 6, changed: 4 });
      }, EVENTS_PATIENCE);
      // What the live rules would have said is what the dry run says they would.
      await fraud.setRules([attempts]);
      expect((await fraud.judge(payment({ merchantId, ip }))).body).toMatchObject({
        outcome: 'BLOCK',
        reasons: [{ detail: '7 attempts by ip in 3600 s ≥ 3' }],
      });
    },
    EVENTS_TIMEOUT_MS,
  );

  it('is refused for rules that could not be set', async () => {
    expect(await dryRun({ rules: [large({ when: { all: [] } })] })).toMatchObject({ status: 400 });
    expect(await dryRun({ rules: [], decisions: 1_000_000 })).toMatchObject({ status: 400 });
  });

  it('of a merchant who has no payments is empty', async () => {
    expect((await dryRun({ rules: [large()], merchantId: newId('mer') })).body).toMatchObject({
      decisions: 0,
      changed: 0,
      complete: true,
    });
  });
});

describe('a rule about who pays', () => {
  const speaks = async (condition: object, members: Parameters<typeof payment>[0]): Promise<boolean> => {
    await fraud.setRules([{ ...large(), when: condition }]);
    return (await fraud.judge(payment(members))).body['outcome'] === 'BLOCK';
  };

  it('sees the domain of his email, however it was written', async () => {
    const throwaway = { field: 'emailDomain', operator: 'is', value: 'throwaway.example' };
    expect(await speaks(throwaway, { email: 'Ann@Throwaway.Example' })).toBe(true);
    expect(await speaks(throwaway, { email: 'ann@example.com' })).toBe(false);
    expect(await speaks(throwaway, {})).toBe(false);
  });

  it('sees the country he comes from, and that nobody knows it', async () => {
    const foreign = { field: 'ipCountry', operator: 'is_not', value: ['US', 'CA'] };
    expect(await speaks(foreign, { ipCountry: 'FR' })).toBe(true);
    expect(await speaks(foreign, { ipCountry: 'CA' })).toBe(false);
    expect(await speaks(foreign, {})).toBe(false);
    expect(await speaks({ field: 'ipCountry', operator: 'missing' }, {})).toBe(true);
  });
});

describe('decisions', () => {
  it('are found by their payment, with everything they were made from', async () => {
    await fraud.setRules([large()]);
    const asked = payment({ amount: 5_500, ip: '203.0.113.9', ipCountry: 'FR', email: 'ann@example.com' });
    const { body: answer } = await fraud.judge(asked);
    const { body } = await fraud.get(`/fraud/decisions?paymentId=${asked.subjectId}`);
    expect(body).toMatchObject({
      data: [
        {
          decisionId: answer['decisionId'],
          outcome: 'BLOCK',
          ip: '203.0.113.9',
          ipCountry: 'FR',
          email: 'a***@example.com',
          method: asked.method,
          features: { velocities: [], lists: [] },
        },
      ],
      nextCursor: null,
    });
    expect(
      (await fraud.get(`/fraud/decisions?merchantId=${String(asked.merchantId)}&outcome=ALLOW`)).body['data'],
    ).toEqual([]);
    for (const id of [newId('fd'), 'x', newId('pay')])
      expect(await fraud.get(`/fraud/decisions/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'fraud_decision_not_found' },
      });
  });
});
