import fs from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ForwardResponse, TEST_CARDS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { dumpOf, encodingsOf, merchantPrincipal } from '@payflow/testing';

import { goodCard, RunningVault } from './running-vault.js';
import { answerJson, ScriptedAcquirer } from './scripted-acquirer.js';

const HOLDER = 'Wilhelmina Unmistakable';
const CVC = '7391';
const merchantId = newId('mer');
const merchant = merchantPrincipal(merchantId);

let acquirer: ScriptedAcquirer;
let vault: RunningVault;
const written: string[] = [];
const writeSync = fs.writeSync.bind(fs) as (...parameters: unknown[]) => number;

/** The log is written synchronously to file descriptor 1. */
const capture = (): void => {
  fs.writeSync = ((fd: number, data: string | Uint8Array, ...rest: unknown[]) => {
    if (fd !== 1 && fd !== 2) return writeSync(fd, data, ...rest);
    const text = typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
    written.push(text);
    return Buffer.byteLength(text);
  }) as typeof fs.writeSync;
};

beforeAll(async () => {
  capture();
  acquirer = await ScriptedAcquirer.open();
  vault = await RunningVault.start({
    ACQUIRERS: JSON.stringify({ sim: acquirer.url, closed: 'http://127.0.0.1:9' }),
    LOG_LEVEL: 'trace',
  });
});
afterAll(async () => {
  await vault.stop();
  await acquirer.close();
  fs.writeSync = writeSync;
});

describe('a card number', () => {
  it('is in no table, no log line and no answer, in any encoding, whatever happens', async () => {
    const answers: string[] = [];
    for (const { number } of TEST_CARDS) {
      const card = goodCard({ number, holderName: HOLDER, cvc: CVC });
      const headers = { 'idempotency-key': newId('req') };
      const created = await vault.call(merchant, '/tokens', { body: { card, reusable: true }, headers });
      const replayed = await vault.call(merchant, '/tokens', { body: { card, reusable: true }, headers });
      const { tokenId } = created.body;
      answers.push(created.text, replayed.text);
      // An acquirer that echoes, one that fails with it in the text, one that breaks off, one that is not there.
      acquirer.script = ({ body }, response) => {
        answerJson(response, 200, body);
      };
      answers.push((await vault.forward<ForwardResponse>(tokenId, merchantId)).text);
      acquirer.script = (_, response) => {
        response.writeHead(500).end(`failed for ${number}`);
      };
      answers.push((await vault.forward<ForwardResponse>(tokenId, merchantId)).text);
      acquirer.script = (_, response) => {
        response.destroy();
      };
      answers.push((await vault.forward<ForwardResponse>(tokenId, merchantId)).text);
      answers.push((await vault.forward<ForwardResponse>(tokenId, merchantId, { acquirer: 'closed' })).text);
      // Refusals: a card that fails a check, a number in the wrong place, broken JSON.
      for (const body of [
        { card: { ...card, expYear: 2001 } },
        { card: { ...card, number: `${number}0` } },
        { card: { ...card, [number]: number } },
        { card: number },
        { card, merchantId: number },
        { card, metadata: { [`x ${number}`]: 'y' } },
      ]) {
        answers.push((await vault.call(merchant, '/tokens', { body })).text);
      }
      const broken = await vault.app.inject({
        method: 'POST',
        url: '/tokens',
        headers: { authorization: await vault.mint.authorization(merchant), 'content-type': 'application/json' },
        payload: `{"card":{"number":"${number}",`,
      });
      answers.push(broken.body);
      answers.push((await vault.call(merchant, `/tokens/${number}`)).text);
      answers.push((await vault.call(merchant, `/tokens?cursor=${number}`)).text);
    }
    acquirer.script = (_, response) => {
      answerJson(response, 200, {});
    };

    const dump = await dumpOf(vault.database.ownerUrl);
    const log = written.join('');
    // The three places were looked at.
    expect(dump).toContain(merchantId);
    expect(log).toContain('card forwarded');
    expect(answers.join('')).toContain('************4242');
    for (const { number } of TEST_CARDS) {
      for (const encoded of encodingsOf(number)) {
        expect([number, 'dump', dump.includes(encoded)]).toEqual([number, 'dump', false]);
        expect([number, 'log', log.includes(encoded)]).toEqual([number, 'log', false]);
      }
      expect([number, 'answers', answers.join('').includes(number)]).toEqual([number, 'answers', false]);
    }
    expect(dump).not.toContain(HOLDER);
    expect(log).not.toContain(HOLDER);
    for (const place of [dump, log]) expect(place).not.toMatch(new RegExp(`"?cvc"?[:=]\\s*"?${CVC}`, 'i'));
  }, 60_000);

  it('would be found: the search sees each encoding where one is planted', async () => {
    const texts = TEST_CARDS.flatMap(({ number }) => encodingsOf(number));
    const numbers = TEST_CARDS.map(({ number }) => number);
    await vault.sql('CREATE TABLE planted (as_text text, as_bytes bytea, as_number bigint)');
    try {
      await vault.sql('INSERT INTO planted (as_text) SELECT * FROM unnest($1::text[])', [texts]);
      const dump = await dumpOf(vault.database.ownerUrl);
      expect(texts.filter((text) => !dump.includes(text))).toEqual([]);

      await vault.sql('TRUNCATE planted');
      await vault.sql(
        'INSERT INTO planted (as_bytes, as_number) SELECT n::bytea, n::bigint FROM unnest($1::text[]) n',
        [numbers],
      );
      const second = await dumpOf(vault.database.ownerUrl);
      expect(numbers.filter((number) => !second.includes(number))).toEqual([]);
      expect(numbers.filter((number) => !second.includes(Buffer.from(number).toString('hex')))).toEqual([]);
    } finally {
      await vault.sql('DROP TABLE planted');
    }
  });

  it('cannot be found by hashing all numbers: fingerprint and request hash are keyed', async () => {
    const { createHash } = await import('node:crypto');
    const dump = await dumpOf(vault.database.ownerUrl);
    for (const { number } of TEST_CARDS) {
      for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
        const digest = createHash(algorithm).update(number).digest();
        expect(dump).not.toContain(digest.toString('hex'));
        expect(dump).not.toContain(digest.toString('base64'));
      }
    }
  });
});
