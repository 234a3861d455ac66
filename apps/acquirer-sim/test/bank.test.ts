import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BankBookLine, BankMode, BankPayout, SetBankMode } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';

import { type Answered, RunningAcquirer } from './running-acquirer.js';

const PAID = 'GB57PAYF00000100000001';
const ACCEPTED = 'GB30PAYF00000100000002';
const CLOSED = 'GB73PAYF00000100000004';
const SILENT_AFTER = 'GB89PAYF00000100000007';
const SILENT_BEFORE = 'GB62PAYF00000100000008';
const ERROR_BEFORE = 'GB35PAYF00000100000009';
const ERROR_AFTER = 'GB08PAYF00000100000010';
const RETURNED = 'GB78PAYF00000100000011';

type Changes = { readonly data: readonly (BankPayout & { position: number })[]; readonly nextPosition: number };

let sim: RunningAcquirer;

beforeAll(async () => {
  sim = await RunningAcquirer.start({ PENDING_MS: '0', SILENCE_MS: '50' });
});
afterEach(async () => {
  await sim.call('DELETE', '/banks/sim/mode');
});
afterAll(async () => {
  await sim.stop();
});

const payout = (iban = PAID, over: Record<string, unknown> = {}) => ({
  reference: newId('txn'),
  amount: 2500,
  currency: 'USD',
  creditor: { name: 'Ada Lovelace', iban },
  ...over,
});

const pay = async (body: object, mode?: BankMode): Promise<Answered<BankPayout>> =>
  await sim.call('POST', '/banks/sim/payouts', body, mode === undefined ? {} : { 'x-bank-mode': mode });
const inquire = async (reference: string) => await sim.call<BankPayout>('GET', `/banks/sim/payouts/${reference}`);
const cancel = async (reference: string) =>
  await sim.call<BankPayout>('POST', `/banks/sim/payouts/${reference}/cancel`);
const changes = async (after: number, limit = 1000): Promise<Changes> =>
  (await sim.call<Changes>('GET', `/banks/sim/payouts?after=${after}&limit=${limit}`)).body;
const bookOf = async (filter: Record<string, string>): Promise<readonly BankBookLine[]> =>
  (
    await sim.call<{ data: BankBookLine[] }>(
      'GET',
      `/banks/sim/book?${new URLSearchParams({ limit: '1000', ...filter }).toString()}`,
    )
  ).body.data;
const kindsOf = async (reference: string) => (await bookOf({ reference })).map(({ kind }) => kind);
const setMode = async (mode: SetBankMode) => await sim.call('POST', '/banks/sim/mode', mode);

describe('a payout', () => {
  it('pays once for a reference, however often and at once it is asked for', async () => {
    const request = payout();
    const answers = await Promise.all(Array.from({ length: 10 }, async () => await pay(request)));
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual(answers.map(() => [201, 'PAID']));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await kindsOf(request.reference)).toEqual(['CREDIT']);
    expect(await bookOf({ reference: request.reference })).toMatchObject([
      { account: PAID, name: 'Ada Lovelace', amount: 2500, currency: 'USD' },
    ]);
  });

  it('with the reference of another one is refused, and nothing is paid', async () => {
    const request = payout();
    await pay(request);
    const other = await sim.call('POST', '/banks/sim/payouts', { ...request, amount: 2501 });
    expect([other.status, other.body]).toMatchObject([409, { code: 'reference_taken' }]);
    expect(await kindsOf(request.reference)).toEqual(['CREDIT']);
  });

  it('goes to an account number at another bank as well', async () => {
    const creditor = { name: 'Ada', accountNumber: '000123456789', routingNumber: '110000000' };
    const request = payout(PAID, { creditor });
    expect((await pay(request)).body.status).toBe('PAID');
    expect(await bookOf({ reference: request.reference })).toMatchObject([{ account: '110000000/000123456789' }]);
  });

  it.each([
    ['GB03PAYF00000100000003', 'AC01'],
    [CLOSED, 'AC04'],
    ['GB19PAYF00000100000006', 'AM04'],
  ])('to %s is refused for %s and not in the book', async (iban, reason) => {
    const request = payout(iban);
    expect((await pay(request)).body).toMatchObject({ status: 'REFUSED', reason });
    expect(await kindsOf(request.reference)).toEqual([]);
  });

  it('is accepted and paid later', async () => {
    const request = payout(ACCEPTED);
    expect((await pay(request)).body.status).toBe('ACCEPTED');
    await eventually(async () => expect((await inquire(request.reference)).body.status).toBe('PAID'));
    expect(await kindsOf(request.reference)).toEqual(['CREDIT']);
  });

  it('is accepted and refused later', async () => {
    const request = payout('GB51PAYF00000100000012');
    expect((await pay(request)).body.status).toBe('ACCEPTED');
    await eventually(async () =>
      expect((await inquire(request.reference)).body).toMatchObject({ status: 'REFUSED', reason: 'AC04' }),
    );
    expect(await kindsOf(request.reference)).toEqual([]);
  });

  it('is paid and returned later, by itself and by control', async () => {
    const byItself = payout(RETURNED);
    expect((await pay(byItself)).body.status).toBe('PAID');
    await eventually(async () =>
      expect((await inquire(byItself.reference)).body).toMatchObject({ status: 'RETURNED', reason: 'AC04' }),
    );
    const byControl = payout();
    await pay(byControl);
    for (let time = 0; time < 2; time += 1) {
      const path = `/banks/sim/payouts/${byControl.reference}/return`;
      const returned = await sim.call<BankPayout>('POST', path, { reason: 'AC06' });
      expect([returned.status, returned.body]).toMatchObject([200, { status: 'RETURNED', reason: 'AC06' }]);
    }
    for (const { reference } of [byItself, byControl]) expect(await kindsOf(reference)).toEqual(['RETURN', 'CREDIT']);
  });

  it.each<[string, number, string[]]>([
    [SILENT_AFTER, 0, ['CREDIT']],
    [SILENT_BEFORE, 0, []],
    [ERROR_BEFORE, 500, []],
    [ERROR_AFTER, 500, ['CREDIT']],
  ])('to %s is answered %i, and the book then has %j', async (iban, status, kinds) => {
    const request = payout(iban);
    expect((await pay(request)).status).toBe(status);
    expect(await kindsOf(request.reference)).toEqual(kinds);
    expect((await inquire(request.reference)).status).toBe(kinds.length === 0 ? 404 : 200);
    expect((await pay(request)).body.status).toBe('PAID');
    expect(await kindsOf(request.reference)).toEqual(['CREDIT']);
  });

  it.each([
    payout(PAID, { amount: 0 }),
    payout(PAID, { amount: 1.5 }),
    payout(PAID, { currency: 'XYZ' }),
    payout(PAID, { reference: 'surprise' }),
    payout('not an iban'),
    payout(PAID, { creditor: { name: '', iban: PAID } }),
  ])('that is malformed is refused: %j', async (request) => {
    expect((await pay(request)).status).toBe(400);
  });

  it('at a bank that is not there is not found', async () => {
    expect((await sim.call('POST', '/banks/other/payouts', payout())).status).toBe(404);
  });
});

describe('a cancellation', () => {
  it('forbids for ever what has not arrived', async () => {
    const request = payout();
    expect((await cancel(request.reference)).body).toMatchObject({ status: 'CANCELED', amount: 0 });
    const late = await pay(request);
    expect([late.body.status, late.replayed]).toEqual(['CANCELED', true]);
    expect(await kindsOf(request.reference)).toEqual([]);
  });

  it('takes back what is accepted, also against its timer', async () => {
    const request = payout(ACCEPTED);
    await setMode({ mode: 'accepted_then_paid', latencyMs: 60_000, reference: request.reference });
    await pay(request);
    expect((await cancel(request.reference)).body).toMatchObject({ status: 'CANCELED', amount: 2500 });
    expect(await sim.sql('SELECT 1 FROM due_bank_states WHERE reference = $1', [request.reference])).toEqual([]);
  });

  it('leaves what was paid as it is', async () => {
    const request = payout();
    await pay(request);
    expect((await cancel(request.reference)).body.status).toBe('PAID');
    expect(await kindsOf(request.reference)).toEqual(['CREDIT']);
  });

  it('and a payout that race end as one of the two, in the book as in the answer', async () => {
    const requests = Array.from({ length: 20 }, () => payout());
    await Promise.all(
      requests.map(async (request) => {
        await Promise.all([pay(request), cancel(request.reference)]);
        const { body } = await inquire(request.reference);
        expect(await kindsOf(request.reference)).toEqual(body.status === 'PAID' ? ['CREDIT'] : []);
        expect(['PAID', 'CANCELED']).toContain(body.status);
      }),
    );
  });
});

describe('the feed', () => {
  it('has each change once, in order, page by page, while others write', async () => {
    const start = (await changes(0)).data.at(-1)?.position ?? 0;
    const requests = Array.from({ length: 30 }, (_, index) => payout(index % 3 === 0 ? RETURNED : PAID));
    const seen: string[] = [];
    let position = start;
    const read = async () => {
      for (;;) {
        const page = await changes(position, 7);
        position = page.nextPosition;
        seen.push(...page.data.map(({ reference, status }) => `${reference} ${status}`));
        if (seen.length >= 40) return;
      }
    };
    await Promise.all([read(), ...requests.map(async (request) => await pay(request))]);
    const expected = requests.flatMap(({ reference, creditor }) => [
      `${reference} PAID`,
      ...(creditor.iban === RETURNED ? [`${reference} RETURNED`] : []),
    ]);
    expect([...seen].sort()).toEqual(expected.sort());
    expect((await changes(position)).data).toEqual([]);
  });
});

describe('a mode of the bank', () => {
  it('comes before the account; a header comes before the route; the narrowest filter wins', async () => {
    await setMode({ mode: 'refused' });
    expect((await pay(payout())).body.status).toBe('REFUSED');
    expect((await pay(payout(), 'normal')).body.status).toBe('PAID');
    const request = payout();
    await setMode({ mode: 'normal', reference: request.reference });
    expect((await pay(request)).body.status).toBe('PAID');
  });

  it('is also of inquiries, cancellations and the feed, and holds for a number of times', async () => {
    const request = payout();
    await pay(request);
    await setMode({ mode: 'unavailable' });
    expect((await inquire(request.reference)).status).toBe(503);
    expect((await sim.call('GET', '/banks/sim/payouts')).status).toBe(503);
    await setMode({ mode: 'error_before_effect', operation: 'inquiry', times: 1 });
    await setMode({ mode: 'normal' });
    expect((await inquire(request.reference)).status).toBe(500);
    expect((await inquire(request.reference)).status).toBe(200);
    await setMode({ mode: 'timeout_after_effect', operation: 'cancel', times: 1 });
    const other = payout();
    expect((await cancel(other.reference)).status).toBe(0);
    expect((await inquire(other.reference)).body.status).toBe('CANCELED');
  });

  it('that is none is refused, and none is there outside demonstrations and tests', async () => {
    expect((await sim.call('POST', '/banks/sim/mode', { mode: 'surprise' })).status).toBe(400);
    expect((await pay(payout(), 'surprise' as BankMode)).status).toBe(400);
    const live = await RunningAcquirer.start({ NODE_ENV: 'production', DEMO_MODE: 'false' });
    try {
      expect((await live.call('POST', '/banks/sim/mode', { mode: 'refused' })).status).toBe(404);
      const path = `/banks/sim/payouts/${newId('txn')}/return`;
      expect((await live.call('POST', path, {})).status).toBe(404);
    } finally {
      await live.stop();
    }
  });
});

describe('the test accounts', () => {
  it('are listed', async () => {
    const { status, body } = await sim.call<{ data: unknown[] }>('GET', '/test-bank-accounts');
    expect(status).toBe(200);
    expect(body.data).toContainEqual(expect.objectContaining({ iban: CLOSED, outcome: 'REFUSED', reason: 'AC04' }));
  });
});

describe('a restart', () => {
  it('forgets no timer', async () => {
    const request = payout(ACCEPTED);
    await setMode({ mode: 'accepted_then_paid', latencyMs: 3_600_000, reference: request.reference });
    await pay(request);
    await sim.restart();
    await sim.sql('UPDATE due_bank_states SET due_at = now() WHERE reference = $1', [request.reference]);
    await eventually(async () => expect((await inquire(request.reference)).body.status).toBe('PAID'));
  });
});
