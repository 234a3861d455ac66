import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ForwardResponse, Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Messaging } from '@payflow/messaging';
import { eventually, merchantPrincipal } from '@payflow/testing';

import { Acquirers } from '../src/clients/acquirers.js';
import { forwardRequest, goodCard, type ProblemBody, RunningVault } from './running-vault.js';
import { answerJson, type Received, ScriptedAcquirer } from './scripted-acquirer.js';

const NUMBER = '4242424242424242';
const MASKED = '************4242';

let acquirer: ScriptedAcquirer;
let vault: RunningVault;
let merchant: Principal & { readonly merchantId: string };

beforeAll(async () => {
  acquirer = await ScriptedAcquirer.open();
  vault = await RunningVault.start({
    ACQUIRERS: JSON.stringify({
      sim: `${acquirer.url}/acquirers/sim`,
      sim2: `${acquirer.url}/acquirers/sim2`,
      // As payment has it too: of its settings the vault needs the address alone.
      psp: { kind: 'stripe', secretKey: 'sk_test_x', webhookSecret: 'whsec_x', apiBase: acquirer.url },
      // Nothing listens on port 9 (discard).
      closed: 'http://127.0.0.1:9',
      nowhere: 'http://acquirer.invalid',
      plain: acquirer.url.replace('http:', 'https:'),
    }),
  });
});
afterAll(async () => {
  await vault.stop();
  await acquirer.close();
});
beforeEach(() => {
  const merchantId = newId('mer');
  merchant = { ...merchantPrincipal(merchantId), merchantId };
  acquirer.received.length = 0;
  acquirer.script = (_, response) => {
    answerJson(response, 201, { outcome: 'approved' });
  };
});

const forward = async (tokenId: string, over: Record<string, unknown> = {}) =>
  await vault.forward<ForwardResponse>(tokenId, merchant.merchantId, over);

const refusedForward = async (tokenId: string, over: Record<string, unknown> = {}) =>
  await vault.forward<ProblemBody>(tokenId, merchant.merchantId, over);

/** Something to wait for that a test lets happen. */
const gate = (): { readonly opened: Promise<void>; readonly open: () => void } => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
};

const cardIn = (received: Received | undefined): unknown => received?.body['card'];

describe('forwarding a card', () => {
  it('fills the card into the request and gives back the answer', async () => {
    const { tokenId } = await vault.token(merchant);
    const answer = await forward(tokenId, { headers: { 'idempotency-key': 'att_1' } });
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'answered', status: 201, body: { outcome: 'approved' } },
    });
    expect(acquirer.received).toHaveLength(1);
    const [received] = acquirer.received;
    expect(received?.url).toBe('/acquirers/sim/authorizations');
    expect(received?.headers).toMatchObject({ 'idempotency-key': 'att_1', 'content-type': 'application/json' });
    expect(received?.headers).not.toHaveProperty('authorization');
    expect(cardIn(received)).toEqual(goodCard());
    expect(received?.body).toMatchObject({ amount: 1000, currency: 'USD' });
  });

  it('is written down before it happens', async () => {
    const { tokenId } = await vault.token(merchant);
    const attemptId = newId('att');
    let recorded: object[] = [];
    acquirer.script = (_, response) => {
      void vault
        .sql('SELECT attempt_id, acquirer, path, caller FROM forwards WHERE token_id = $1', [tokenId])
        .then((rows) => {
          recorded = rows;
          answerJson(response, 201, {});
        });
    };
    await forward(tokenId, { attemptId });
    expect(recorded).toEqual([
      { attempt_id: attemptId, acquirer: 'sim', path: '/authorizations', caller: 'svc_payment' },
    ]);
  });

  it('sends a CVC once: after an answer it is gone', async () => {
    const { tokenId } = await vault.token(merchant, { reusable: true });
    await forward(tokenId);
    await forward(tokenId);
    const { cvc, ...withoutCvc } = goodCard();
    expect(acquirer.received.map(cardIn)).toEqual([{ ...withoutCvc, cvc }, withoutCvc]);
  });

  it('keeps the CVC while no answer has come', async () => {
    const { tokenId } = await vault.token(merchant, { reusable: true });
    acquirer.script = (_, response) => {
      response.destroy();
    };
    expect((await forward(tokenId)).body.outcome).toBe('no_answer');
    await forward(tokenId);
    expect(acquirer.received.map(cardIn)).toEqual([goodCard(), goodCard()]);
  });

  it('passes on what the acquirer says, whatever its status, as JSON or as text', async () => {
    const { tokenId } = await vault.token(merchant, { reusable: true });
    for (const status of [200, 302, 400, 409, 500]) {
      acquirer.script = (_, response) => {
        response.setHeader('location', `${acquirer.url}/elsewhere`);
        answerJson(response, status, { said: status });
      };
      expect((await forward(tokenId)).body).toEqual({ outcome: 'answered', status, body: { said: status } });
    }
    acquirer.script = (_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    };
    expect((await forward(tokenId)).body).toEqual({ outcome: 'answered', status: 502, body: '<h1>Bad gateway</h1>' });
    // The redirect was not followed.
    expect(acquirer.received.every(({ url }) => url === '/acquirers/sim/authorizations')).toBe(true);
  });

  it('masks the card in whatever the acquirer says', async () => {
    const { tokenId } = await vault.token(merchant, { reusable: true });
    acquirer.script = ({ body }, response) => {
      answerJson(response, 400, {
        echo: body,
        message: `card ${NUMBER} is 4242 4242 4242 4242`,
        list: [Number(NUMBER), { [NUMBER]: NUMBER }],
      });
    };
    const { text, body } = await forward(tokenId);
    expect(text).not.toContain(NUMBER);
    expect(text).not.toContain('987');
    expect(body).toMatchObject({
      body: {
        message: `card ${MASKED} is ${MASKED}`,
        list: [MASKED, { [MASKED]: MASKED }],
        echo: { card: { cvc: '***' } },
      },
    });
    acquirer.script = (_, response) => {
      response.writeHead(500).end(`stack trace with ${NUMBER}`);
    };
    expect((await forward(tokenId)).body).toMatchObject({ body: `stack trace with ${MASKED}` });
  });
});

describe('an attempt that was sent before', () => {
  it.each<[string, (tokenId: string) => Promise<unknown>]>([
    ['deleted', async (tokenId) => await vault.call(merchant, `/tokens/${tokenId}`, { method: 'DELETE' })],
    [
      'expired',
      async (tokenId) =>
        await vault.sql(`UPDATE tokens SET expires_at = now() - interval '1 second' WHERE token_id = $1`, [tokenId]),
    ],
  ])('is not said to have had no effect when its token is %s since', async (_, end) => {
    const { tokenId } = await vault.token(merchant, { reusable: true });
    const attemptId = newId('att');
    await forward(tokenId, { attemptId });
    await end(tokenId);
    expect((await forward(tokenId, { attemptId })).body).toEqual({ outcome: 'no_answer', reason: 'sent_before' });
    expect((await refusedForward(tokenId)).status).toBe(422);
    expect(acquirer.received).toHaveLength(1);
  });
});

describe('a repetition that is not sent', () => {
  it('is "not sent" while no earlier one was, and "no answer" after one that was', async () => {
    const { tokenId } = await vault.token(merchant);
    const attempt = { paymentId: newId('pay'), attemptId: newId('att') };
    const outcomeAt = async (name: string) => (await forward(tokenId, { ...attempt, acquirer: name })).body.outcome;
    expect(await outcomeAt('closed')).toBe('not_sent');
    expect(await outcomeAt('closed')).toBe('not_sent');
    acquirer.script = (_, response) => {
      response.destroy();
    };
    expect(await outcomeAt('sim')).toBe('no_answer');
    expect((await forward(tokenId, { ...attempt, acquirer: 'closed' })).body).toEqual({
      outcome: 'no_answer',
      reason: 'sent_before',
    });
  });

  it('cannot be written down otherwise by the service', async () => {
    await expect(vault.asService("UPDATE forwards SET acquirer = 'x'")).rejects.toMatchObject({ code: '42501' });
    await expect(vault.asService('DELETE FROM forwards')).rejects.toMatchObject({ code: '42501' });
    await expect(vault.asService('DELETE FROM tokens')).rejects.toMatchObject({ code: '42501' });
  });
});

describe('a text of the merchant', () => {
  it('is sent as it is, also when it looks like a placeholder', async () => {
    const { tokenId } = await vault.token(merchant);
    await forward(tokenId, { body: { statementDescriptor: '{{card.number}}', card: { number: '{{card.number}}' } } });
    expect(acquirer.received[0]?.body).toEqual({ statementDescriptor: '{{card.number}}', card: { number: NUMBER } });
  });
});

describe('a request as a form', () => {
  const FIELDS = {
    amount: '1000',
    'payment_method_data[type]': 'card',
    'payment_method_data[card][number]': '{{card.number}}',
    'payment_method_data[card][exp_month]': '{{card.expMonth}}',
    'payment_method_data[card][exp_year]': '{{card.expYear}}',
    'payment_method_data[card][cvc]': '{{card.cvc}}',
    'metadata[note]': '{{card.number}}',
    statement_descriptor_suffix: 'Ada & {{card.cvc}}',
  };

  it('is filled in where a field belongs to the card by its name, and nowhere else', async () => {
    const { tokenId } = await vault.token(merchant);
    await forward(tokenId, { acquirer: 'psp', path: '/v1/payment_intents', encoding: 'form', body: FIELDS });
    const [received] = acquirer.received;
    expect(received?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(received?.url).toBe('/v1/payment_intents');
    expect(received?.body).toEqual({
      ...FIELDS,
      'payment_method_data[card][number]': NUMBER,
      'payment_method_data[card][exp_month]': '12',
      'payment_method_data[card][exp_year]': '2034',
      'payment_method_data[card][cvc]': '987',
    });
  });

  it('leaves out what the card does not have', async () => {
    const { tokenId } = await vault.token(merchant, { card: goodCard({ cvc: undefined }) });
    await forward(tokenId, { encoding: 'form', body: FIELDS });
    expect(acquirer.received[0]?.body).not.toHaveProperty('payment_method_data[card][cvc]');
  });

  it('has text in its fields', async () => {
    const { tokenId } = await vault.token(merchant);
    const answer = await refusedForward(tokenId, { encoding: 'form', body: { amount: 1000 } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/body' }] } });
  });
});

describe('a single-use token', () => {
  it('serves the next attempt of its payment, at another acquirer too, with the CVC where it was to be kept', async () => {
    const { tokenId } = await vault.token(merchant);
    const paymentId = newId('pay');
    acquirer.script = (_, response) => {
      answerJson(response, 201, { outcome: 'declined', technical: true });
    };
    await forward(tokenId, { paymentId, keepCvc: true });
    await forward(tokenId, { paymentId, acquirer: 'sim2' });
    expect(acquirer.received.map(({ url }) => url)).toEqual([
      '/acquirers/sim/authorizations',
      '/acquirers/sim2/authorizations',
    ]);
    expect(acquirer.received.map(cardIn)).toEqual([goodCard(), goodCard()]);
    // The last acquirer of the route has answered: now it is gone.
    await forward(tokenId, { paymentId });
    expect(cardIn(acquirer.received[2])).not.toHaveProperty('cvc');
  });

  it('is judged by the attempt when it comes to whether something was sent', async () => {
    const { tokenId } = await vault.token(merchant);
    const paymentId = newId('pay');
    await forward(tokenId, { paymentId, keepCvc: true });
    // Another attempt of the payment, which certainly reached nobody, whatever the first one did.
    expect((await forward(tokenId, { paymentId, acquirer: 'closed' })).body.outcome).toBe('not_sent');
  });

  it('is used by exactly one of twenty payments at once', async () => {
    const { tokenId } = await vault.token(merchant);
    const answers = await Promise.all(Array.from({ length: 20 }, async () => await refusedForward(tokenId)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status === 422);
    expect(refused).toHaveLength(19);
    expect(refused.every(({ body }) => body.code === 'token_unusable' && body.reason === 'used')).toBe(true);
    expect(acquirer.received).toHaveLength(1);
    expect((await vault.call(merchant, `/tokens/${tokenId}`)).body.status).toBe('USED');
  });

  it('may be sent again by the payment that used it, also when its life is over', async () => {
    const { tokenId } = await vault.token(merchant);
    const paymentId = newId('pay');
    expect((await forward(tokenId, { paymentId })).body.outcome).toBe('answered');
    await vault.sql(`UPDATE tokens SET expires_at = now() - interval '1 second' WHERE token_id = $1`, [tokenId]);
    expect((await forward(tokenId, { paymentId })).body.outcome).toBe('answered');
    expect((await refusedForward(tokenId)).status).toBe(422);
    expect(acquirer.received).toHaveLength(2);
  });
});

describe('a card that is of no more use', () => {
  it('is erased some time after: of a used token, of one whose life is over, and of no other', async () => {
    const used = await vault.token(merchant);
    const attemptId = newId('att');
    await forward(used.tokenId, { attemptId });
    const over = await vault.token(merchant, { reusable: true, expiresInSeconds: 60 });
    const fresh = await vault.token(merchant);
    const lasting = await vault.token(merchant, { reusable: true });
    const justUsed = await vault.token(merchant);
    await forward(justUsed.tokenId);
    await vault.sql(`UPDATE tokens SET used_at = now() - interval '25 hours' WHERE token_id = $1`, [used.tokenId]);
    await vault.sql(`UPDATE tokens SET expires_at = now() - interval '25 hours' WHERE token_id = $1`, [over.tokenId]);
    const cards = async (): Promise<object> => {
      const rows = await vault.sql<{ token_id: string; kept: boolean }>(
        'SELECT token_id, sealed_number IS NOT NULL AND sealed_holder IS NOT NULL AS kept FROM tokens WHERE merchant_id = $1',
        [merchant.merchantId],
      );
      return Object.fromEntries(rows.map(({ token_id: id, kept }) => [id, kept]));
    };
    const other = await vault.again();
    try {
      await eventually(async () => {
        expect(await cards()).toEqual({
          [used.tokenId]: false,
          [over.tokenId]: false,
          [fresh.tokenId]: true,
          [lasting.tokenId]: true,
          [justUsed.tokenId]: true,
        });
      });
    } finally {
      await other.close();
    }
    expect((await forward(used.tokenId, { attemptId })).body).toEqual({ outcome: 'no_answer', reason: 'sent_before' });
    expect(await refusedForward(used.tokenId)).toMatchObject({ status: 422, body: { reason: 'used' } });
    expect(await refusedForward(over.tokenId)).toMatchObject({ status: 422, body: { reason: 'expired' } });
    expect((await vault.call(merchant, `/tokens/${used.tokenId}`)).body).toMatchObject({
      status: 'USED',
      last4: '4242',
    });
  });
});

describe('before anything is sent', () => {
  it('a token that cannot be used is refused, with the reason', async () => {
    const life = await vault.token(merchant);
    await vault.sql(`UPDATE tokens SET expires_at = now() - interval '1 second' WHERE token_id = $1`, [life.tokenId]);
    const deleted = await vault.token(merchant);
    await vault.call(merchant, `/tokens/${deleted.tokenId}`, { method: 'DELETE' });
    const bound = await vault.token(merchant, { userId: 'u1' });
    const old = await vault.token(merchant);
    await vault.sql('UPDATE tokens SET exp_year = 2025 WHERE token_id = $1', [old.tokenId]);
    const cases: readonly [string, Record<string, unknown>, string][] = [
      [life.tokenId, {}, 'expired'],
      [deleted.tokenId, {}, 'deleted'],
      [bound.tokenId, {}, 'unknown'],
      [bound.tokenId, { userId: 'u2' }, 'unknown'],
      [bound.tokenId, { userId: 'u1', merchantId: newId('mer') }, 'unknown'],
      [old.tokenId, {}, 'card_expired'],
      [newId('tok'), {}, 'unknown'],
    ];
    for (const [tokenId, over, reason] of cases) {
      expect(await refusedForward(tokenId, over)).toMatchObject({
        status: 422,
        body: { code: 'token_unusable', reason },
      });
    }
    expect(acquirer.received).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, number, string]>([
    ['an acquirer that is not on the list', { acquirer: 'evil' }, 422, 'acquirer_not_allowed'],
    ['an acquirer by an inherited name', { acquirer: 'constructor' }, 422, 'acquirer_not_allowed'],
    ['an address in place of a path', { path: 'http://evil.example/' }, 400, 'validation_failed'],
    ['a path that climbs', { path: '/../admin' }, 400, 'validation_failed'],
    ['a path with a query', { path: '/authorizations?x=1' }, 400, 'validation_failed'],
    ['a header of the connection', { headers: { host: 'evil.example' } }, 400, 'validation_failed'],
    ['a framing header', { headers: { 'transfer-encoding': 'chunked' } }, 400, 'validation_failed'],
    ['a header with a line break', { headers: { 'x-a': 'b\r\nx-c: d' } }, 400, 'validation_failed'],
    ['no time', { timeoutMs: 0 }, 400, 'validation_failed'],
    ['an unknown field', { url: 'http://evil.example' }, 400, 'validation_failed'],
  ])('%s is refused and the token stays unused', async (_, over, status, code) => {
    const { tokenId } = await vault.token(merchant);
    expect(await refusedForward(tokenId, over)).toMatchObject({ status, body: { code } });
    expect(acquirer.received).toEqual([]);
    expect((await vault.call(merchant, `/tokens/${tokenId}`)).body.status).toBe('ACTIVE');
  });

  it('a card that was moved to another row is noticed and not sent', async () => {
    const mine = await vault.token(merchant, { reusable: true });
    const other = await vault.token(merchantPrincipal(newId('mer')), { reusable: true });
    await vault.sql(
      `UPDATE tokens SET sealed_number = (SELECT sealed_number FROM tokens WHERE token_id = $2) WHERE token_id = $1`,
      [mine.tokenId, other.tokenId],
    );
    expect((await refusedForward(mine.tokenId)).status).toBe(500);
    expect(acquirer.received).toEqual([]);
  });
});

describe('an acquirer that cannot be reached or does not answer', () => {
  it.each([['closed'], ['nowhere'], ['plain']])('"%s": certainly not sent', async (name) => {
    const { tokenId } = await vault.token(merchant);
    expect((await forward(tokenId, { acquirer: name })).body).toMatchObject({ outcome: 'not_sent' });
  });

  it('silence until the deadline: no answer', async () => {
    const { tokenId } = await vault.token(merchant);
    acquirer.script = () => undefined;
    expect((await forward(tokenId, { timeoutMs: 200 })).body).toEqual({ outcome: 'no_answer', reason: 'deadline' });
    expect(acquirer.received).toHaveLength(1);
  });

  it('no connection in time, while another forward of the attempt is on its way: no answer', async () => {
    const { tokenId } = await vault.token(merchant, { reusable: true });
    const attemptId = newId('att');
    const acquirers = vault.app.get(Acquirers);
    const connectionLost = gate();
    const waits = gate();
    const get = jest.spyOn(acquirers, 'get').mockImplementationOnce(() => async () => {
      waits.open();
      await connectionLost.opened;
      return { kind: 'not_sent', reason: 'deadline' };
    });
    const first = forward(tokenId, { attemptId });
    await waits.opened;
    get.mockRestore();
    expect((await forward(tokenId, { attemptId })).body.outcome).toBe('answered');
    connectionLost.open();
    expect((await first).body).toEqual({ outcome: 'no_answer', reason: 'sent_before' });
  });

  it('a connection that breaks after the request: no answer', async () => {
    const { tokenId } = await vault.token(merchant);
    acquirer.script = (_, response) => {
      response.destroy();
    };
    expect((await forward(tokenId)).body).toMatchObject({ outcome: 'no_answer' });
  });

  it('a connection that breaks within the answer: no answer', async () => {
    const { tokenId } = await vault.token(merchant);
    acquirer.script = (_, response) => {
      response.writeHead(201, { 'content-length': '1000' });
      response.write('{"outcome":', () => {
        response.destroy();
      });
    };
    expect((await forward(tokenId)).body).toMatchObject({ outcome: 'no_answer' });
  });

  it('an answer without end: no answer, and it is not read to the end', async () => {
    const { tokenId } = await vault.token(merchant);
    acquirer.script = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect((await forward(tokenId)).body).toEqual({ outcome: 'no_answer', reason: 'answer_too_large' });
  });
});

describe('a vault that stops', () => {
  it('still forwards for the requests that it has not finished', async () => {
    const { tokenId } = await vault.token(merchant, { reusable: true });
    const stopping = await vault.again();
    const consumersStop = gate();
    const isStopping = gate();
    const messaging = stopping.get(Messaging);
    jest.spyOn(messaging, 'stopConsuming').mockImplementationOnce(async () => {
      isStopping.open();
      await consumersStop.opened;
      await messaging.stopConsuming();
    });
    const stopped = stopping.close();
    await isStopping.opened;
    const late = await stopping.inject({
      method: 'POST',
      url: '/internal/forward',
      headers: { authorization: await vault.mint.authorization(vault.payment) },
      payload: forwardRequest(tokenId, merchant.merchantId),
    });
    consumersStop.open();
    await stopped;
    expect(late.json()).toMatchObject({ outcome: 'answered' });
  });
});
