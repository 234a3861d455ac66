import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { merchantPrincipal, servicePrincipal, userPrincipal } from '@payflow/testing';

import { type Answered, LEDGER_CLIENT, LedgerUnderTest, move, transaction } from './ledger-under-test.js';

/** Four eyes: what a person posts or takes back waits for another person (spec §2, Ledger). */
const POST = '/ledger/transactions';
const ASKER = userPrincipal('usr_asker', 'finance');
const COLLEAGUE = userPrincipal('usr_colleague', 'finance');
const ADMIN = userPrincipal('usr_admin', 'admin');

let ledger: LedgerUnderTest;
let alice: string;
let bob: string;
let names: { readonly alice: string; readonly bob: string; readonly world: string };
let scene = 0;

beforeAll(async () => {
  ledger = await LedgerUnderTest.start();
});
afterAll(async () => {
  await ledger.stop();
});

/** Alice has 1,000 and a floor of zero. */
beforeEach(async () => {
  scene += 1;
  names = { alice: `own:alice-${scene}`, bob: `own:bob-${scene}`, world: `world-${scene}` };
  alice = await ledger.openAccount(names.alice, { floor: 0 });
  bob = await ledger.openAccount(names.bob, { floor: 0 });
  await ledger.openAccount(names.world);
  await ledger.post(POST, { transactions: [transaction(`fund-${scene}`, move(names.world, names.alice, 1_000))] });
});

const asks = async (amount: number, reference = `asked-${scene}`): Promise<Answered> =>
  await ledger.post(
    POST,
    { transactions: [transaction(reference, move(names.alice, names.bob, amount))] },
    { as: ASKER, key: newId('req') },
  );
const idOf = ({ body }: Answered): string => String(body['approvalId']);
const decide = async (approvalId: string, verdict: 'approve' | 'refuse', as = COLLEAGUE, key?: string) =>
  await ledger.post(
    `/ledger/approvals/${approvalId}/${verdict}`,
    { reason: 'looked at' },
    { as, ...(key === undefined ? {} : { key }) },
  );
const balances = async () => [await ledger.balanceOf(alice), await ledger.balanceOf(bob)];

/** As the owner of the tables: the service itself may not change what was asked for. */
const longAgo = async (approvalId: string): Promise<void> => {
  const owner = await Database.connect({
    url: ledger.databases.ownerUrl,
    applicationName: 'approvals-test',
    poolSizeMax: 1,
  });
  await owner.execute(`UPDATE ledger_approvals SET expires_at = now() - interval '1 second' WHERE id = $1`, [
    approvalId,
  ]);
  await owner.close();
};

describe("a person's posting", () => {
  it('waits, and is posted once when another person approves it', async () => {
    const asked = await asks(300);
    expect(asked).toMatchObject({
      status: 202,
      body: { kind: 'posting', status: 'WAITING', requestedBy: ASKER.id, decidedBy: null, transactionIds: [] },
    });
    expect(asked.headers['location']).toBe(`/ledger/approvals/${idOf(asked)}`);
    expect(await balances()).toEqual([1_000, 0]);

    const approved = await decide(idOf(asked), 'approve');
    expect(approved).toMatchObject({
      status: 200,
      body: { status: 'APPROVED', decidedBy: COLLEAGUE.id, reason: 'looked at' },
    });
    expect(await balances()).toEqual([700, 300]);
    const [transactionId] = approved.body['transactionIds'] as readonly string[];
    expect((await ledger.get(`${POST}/${transactionId ?? ''}`)).body).toMatchObject({
      reference: `asked-${scene}`,
      postedBy: ASKER.id,
      metadata: { approvalId: idOf(asked), approvedBy: COLLEAGUE.id },
    });
    expect(await decide(idOf(asked), 'approve', ADMIN)).toMatchObject({
      status: 409,
      body: { code: 'approval_not_open' },
    });
    expect(await balances()).toEqual([700, 300]);
  });

  it('is not approved or refused by the one who asked for it, whatever his roles', async () => {
    const asked = await asks(300);
    for (const verdict of ['approve', 'refuse'] as const)
      expect(await decide(idOf(asked), verdict, ASKER)).toMatchObject({
        status: 403,
        body: { code: 'approval_by_requester' },
      });
    expect((await ledger.get(`/ledger/approvals/${idOf(asked)}`, COLLEAGUE)).body).toMatchObject({ status: 'WAITING' });
    expect(await balances()).toEqual([1_000, 0]);
  });

  it('is not posted when it is refused, and cannot be approved then', async () => {
    const asked = await asks(300);
    expect(await decide(idOf(asked), 'refuse')).toMatchObject({ status: 200, body: { status: 'REFUSED' } });
    expect(await decide(idOf(asked), 'approve', ADMIN)).toMatchObject({ status: 409 });
    expect(await balances()).toEqual([1_000, 0]);
  });

  it('is posted once by many who approve it at the same moment', async () => {
    const asked = await asks(300);
    const people = Array.from({ length: 8 }, (_, index) => userPrincipal(`usr_many${index}`, 'admin'));
    const answers = await Promise.all(people.map((as) => decide(idOf(asked), 'approve', as)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['code'] === 'approval_not_open')).toHaveLength(people.length - 1);
    expect(await balances()).toEqual([700, 300]);
  });

  it('answers its key again: who asks twice has asked once, who approves twice has approved once', async () => {
    const body = { transactions: [transaction(`keyed-${scene}`, move(names.alice, names.bob, 5))] };
    const key = newId('req');
    const first = await ledger.post(POST, body, { as: ASKER, key });
    const again = await ledger.post(POST, body, { as: ASKER, key });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotent-replayed']).toBe('true');
    const approved = await decide(idOf(first), 'approve', COLLEAGUE, 'approve-it');
    const repeated = await decide(idOf(first), 'approve', COLLEAGUE, 'approve-it');
    expect(repeated).toMatchObject({ status: 200, text: approved.text });
    expect(await balances()).toEqual([995, 5]);
  });

  it('goes on waiting when it cannot be posted, and posts when it can', async () => {
    const [asked, other] = [await asks(900, `big-${scene}`), await asks(900, `other-${scene}`)];
    expect((await decide(idOf(asked), 'approve')).status).toBe(200);
    expect(await decide(idOf(other), 'approve')).toMatchObject({
      status: 422,
      body: { code: 'batch_refused', errors: [{ code: 'insufficient_funds' }] },
    });
    await ledger.post(POST, { transactions: [transaction(`more-${scene}`, move(names.world, names.alice, 900))] });
    expect((await decide(idOf(other), 'approve')).status).toBe(200);
    expect(await balances()).toEqual([100, 1_800]);
  });

  it('that could not be posted is refused before anybody is bothered', async () => {
    expect(await asks(1_001)).toMatchObject({ status: 422, body: { code: 'batch_refused' } });
    expect(await asks(1, `fund-${scene}`)).toMatchObject({
      status: 422,
      body: { errors: [{ code: 'reference_taken' }] },
    });
  });

  it('that has waited too long has expired', async () => {
    const asked = await asks(300);
    await longAgo(idOf(asked));
    expect(await decide(idOf(asked), 'approve')).toMatchObject({
      status: 409,
      body: { code: 'approval_not_open', detail: 'It is expired.' },
    });
    const list = await ledger.get('/ledger/approvals?status=EXPIRED', ADMIN);
    expect(list.body['data']).toMatchObject([{ approvalId: idOf(asked), status: 'EXPIRED' }]);
    expect(await balances()).toEqual([1_000, 0]);
  });

  it("may correct PayFlow's own accounts: that is what it is for", async () => {
    const service = servicePrincipal('wallet');
    const currency = 'CAD';
    for (const code of ['fees:revenue', `merchant:mer_${scene}:payable`])
      await ledger.post('/ledger/accounts', { code, currency }, { as: service });
    const asked = await ledger.post(
      POST,
      {
        transactions: [
          transaction(`fee-${scene}`, move('fees:revenue', `merchant:mer_${scene}:payable`, 30, currency)),
        ],
      },
      { as: ASKER },
    );
    expect(asked.status).toBe(202);
    expect((await decide(idOf(asked), 'approve', ADMIN)).status).toBe(200);
  });

  it('can be rehearsed, and then nobody is asked', async () => {
    const body = { transactions: [transaction(`dry-${scene}`, move(names.alice, names.bob, 1))] };
    expect(await ledger.post(`${POST}?dryRun=true`, body, { as: ASKER })).toMatchObject({
      status: 200,
      body: { dryRun: true },
    });
  });
});

describe("a person's reversal", () => {
  const posted = async (): Promise<string> => {
    const { body } = await ledger.post(POST, {
      transactions: [transaction(`take-back-${scene}`, move(names.alice, names.bob, 400))],
    });
    const [result] = body['results'] as readonly { transactionId: string }[];
    return result?.transactionId ?? '';
  };

  it('waits, and takes the transaction back once when another person approves it', async () => {
    const transactionId = await posted();
    const asked = await ledger.post(`${POST}/${transactionId}/revert`, {}, { as: ASKER });
    const twin = await ledger.post(`${POST}/${transactionId}/revert`, {}, { as: ADMIN });
    expect(asked).toMatchObject({ status: 202, body: { kind: 'reversal', reverts: transactionId, status: 'WAITING' } });
    expect(await balances()).toEqual([600, 400]);
    expect((await decide(idOf(asked), 'approve')).status).toBe(200);
    expect(await balances()).toEqual([1_000, 0]);
    expect(await decide(idOf(twin), 'approve')).toMatchObject({ status: 409, body: { code: 'already_reverted' } });
    expect(await ledger.post(`${POST}/${transactionId}/revert`, {}, { as: ADMIN })).toMatchObject({
      status: 409,
      body: { code: 'already_reverted' },
    });
    expect(await balances()).toEqual([1_000, 0]);
  });

  it('of a transaction that is not there is refused at once', async () => {
    expect(await ledger.post(`${POST}/${newId('ltx')}/revert`, {}, { as: ASKER })).toMatchObject({ status: 404 });
  });
});

describe('who may', () => {
  it('a client with ledger:post posts at once, as ever', async () => {
    const body = { transactions: [transaction(`client-${scene}`, move(names.alice, names.bob, 1))] };
    expect((await ledger.post(POST, body, { as: LEDGER_CLIENT })).status).toBe(201);
  });

  it.each([
    ['a merchant', merchantPrincipal('mer_1')],
    ['a customer', userPrincipal('usr_1')],
    ['a risk officer', userPrincipal('usr_risk', 'risk')],
    ['a client of the ledger', LEDGER_CLIENT],
  ])('%s decides nothing and sees no approval', async (_, as) => {
    const asked = await asks(1);
    for (const answer of [
      await decide(idOf(asked), 'approve', as),
      await decide(idOf(asked), 'refuse', as),
      await ledger.get('/ledger/approvals', as),
      await ledger.get(`/ledger/approvals/${idOf(asked)}`, as),
    ])
      expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });

  it('lists what waits, newest first, page by page', async () => {
    const ids = [idOf(await asks(1, `one-${scene}`)), idOf(await asks(1, `two-${scene}`))];
    const first = await ledger.get('/ledger/approvals?status=WAITING&limit=1', COLLEAGUE);
    expect(first.body['data']).toMatchObject([{ approvalId: ids[1] }]);
    const second = await ledger.get(
      `/ledger/approvals?status=WAITING&limit=1&cursor=${String(first.body['nextCursor'])}`,
      COLLEAGUE,
    );
    expect(second.body['data']).toMatchObject([{ approvalId: ids[0] }]);
    expect((await ledger.get('/ledger/approvals/apr_nothing', COLLEAGUE)).status).toBe(404);
  });
});
