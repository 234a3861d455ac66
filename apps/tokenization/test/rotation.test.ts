import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ForwardResponse, TokenResponse, VaultKeysResponse } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually, merchantPrincipal, userPrincipal } from '@payflow/testing';

import { goodCard, RunningVault } from './running-vault.js';
import { ScriptedAcquirer } from './scripted-acquirer.js';

const merchantId = newId('mer');
const merchant = merchantPrincipal(merchantId);
const admin = userPrincipal('usr_admin', 'admin');
const NUMBERS = ['4242424242424242', '5555555555554444', '378282246310005', '6011111111111117'];

let acquirer: ScriptedAcquirer;
let vault: RunningVault;

beforeAll(async () => {
  acquirer = await ScriptedAcquirer.open();
  vault = await RunningVault.start({ ACQUIRERS: JSON.stringify({ sim: acquirer.url }) });
});
afterAll(async () => {
  await vault.stop();
  await acquirer.close();
});

const rotate = async (): Promise<VaultKeysResponse> => {
  const { status, body } = await vault.call<VaultKeysResponse>(admin, '/internal/vault/keys/rotate', {
    method: 'POST',
  });
  expect(status).toBe(202);
  return body;
};

const finished = async (toVersion: number): Promise<VaultKeysResponse> =>
  await eventually(async () => {
    const { body } = await vault.call<VaultKeysResponse>(admin, '/internal/vault/keys');
    expect(body.rotation?.toVersion).toBe(toVersion);
    expect(body.rotation?.finishedAt).not.toBeNull();
    return body;
  });

/** So many at once: all 700 would wait for a connection longer than a slow machine has time. */
const WAVE = 50;

const tokens = async (count: number): Promise<TokenResponse[]> => {
  const made: TokenResponse[] = [];
  while (made.length < count) {
    const wave = Array.from({ length: Math.min(WAVE, count - made.length) }, async (_, index) =>
      vault.token(merchant, { reusable: true, card: goodCard({ number: NUMBERS[index % NUMBERS.length] }) }),
    );
    made.push(...(await Promise.all(wave)));
  }
  return made;
};

/** What reaches the acquirer under this token. */
const numberBehind = async ({ tokenId }: TokenResponse): Promise<unknown> => {
  const attemptId = newId('att');
  const { status, body } = await vault.forward<ForwardResponse>(tokenId, merchantId, {
    paymentId: newId('pay'),
    attemptId,
    body: {
      reference: attemptId,
      card: { number: '{{card.number}}' },
    },
  });
  expect(status).toBe(200);
  expect(body.outcome).toBe('answered');
  const received = acquirer.received.find(({ body: sent }) => sent['reference'] === attemptId);
  return (received?.body['card'] as { number?: unknown } | undefined)?.number;
};

describe('a rotation of the data key', () => {
  it('under load: every token works throughout, every row ends under the new key, and the old key is retired', async () => {
    const before = await tokens(700);
    const made: TokenResponse[] = [];
    let rotating = true;
    const forwarding = Array.from({ length: 4 }, async (_, worker) => {
      for (let index = worker; rotating; index = (index + 4) % before.length) {
        const token = before[index];
        if (token === undefined) throw new Error('invariant: index within bounds');
        expect(String(await numberBehind(token)).slice(-4)).toBe(token.last4);
      }
    });
    const creating = (async () => {
      while (rotating) made.push(...(await tokens(2)));
    })();
    await rotate();
    const end = await finished(2).finally(() => {
      rotating = false;
    });
    await Promise.all([...forwarding, creating]);

    expect(end.rotation?.reencrypted).toBeGreaterThanOrEqual(700);
    expect(end.keys.map(({ version, tokens: count, retiredAt }) => [version, count > 0, retiredAt !== null])).toEqual([
      [1, false, true],
      [2, true, false],
    ]);
    expect(await vault.sql('SELECT DISTINCT key_version FROM tokens')).toEqual([{ key_version: 2 }]);
    expect(made.length).toBeGreaterThan(0);
    for (const token of [...before.slice(0, 20), ...made.slice(-20)]) {
      expect(String(await numberBehind(token)).slice(-4)).toBe(token.last4);
    }
    // The holder's name was taken along.
    expect((await vault.call(merchant, `/tokens/${before[0]?.tokenId ?? ''}`)).body.holderName).toBe('Ada Lovelace');
  }, 60_000);

  it('begun twice at once is one rotation', async () => {
    await Promise.all([rotate(), rotate(), rotate()]);
    const { keys } = await finished(3);
    expect(keys.map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  it('that stopped half-way goes on in the next process, behind its cursor', async () => {
    await rotate();
    await finished(4);
    // As a process leaves it that died after some batches: a rotation whose cursor stands in the middle.
    const rows = await vault.sql<{ token_id: string }>('SELECT token_id FROM tokens ORDER BY token_id');
    const middle = rows[Math.floor(rows.length / 2)]?.token_id;
    await vault.sql(`UPDATE vault_rotations SET finished_at = NULL, cursor = $1 WHERE to_version = 4`, [middle]);
    await vault.sql('UPDATE vault_keys SET retired_at = NULL WHERE version = 3');
    const other = await vault.again();
    try {
      const { keys } = await finished(4);
      expect(keys.at(-2)?.retiredAt).not.toBeNull();
    } finally {
      await other.close();
    }
    expect(await vault.sql('SELECT DISTINCT key_version FROM tokens')).toEqual([{ key_version: 4 }]);
  });

  it('does not retire a key under which a card was sealed behind the cursor', async () => {
    const token = await vault.token(merchant, { reusable: true });
    const [sealed] = await vault.sql<{ key_version: number; sealed_number: Buffer; sealed_holder: Buffer }>(
      'SELECT key_version, sealed_number, sealed_holder FROM tokens WHERE token_id = $1',
      [token.tokenId],
    );
    expect(sealed?.key_version).toBe(4);
    await rotate();
    await finished(5);
    // As if that token had been committed late: under the old key, although the rotation has passed its place.
    await vault.sql('UPDATE tokens SET key_version = $2, sealed_number = $3, sealed_holder = $4 WHERE token_id = $1', [
      token.tokenId,
      sealed?.key_version,
      sealed?.sealed_number,
      sealed?.sealed_holder,
    ]);
    await vault.sql(`UPDATE vault_rotations SET finished_at = NULL, cursor = 'tok_zzzzzz' WHERE to_version = 5`);
    await vault.sql('UPDATE vault_keys SET retired_at = NULL WHERE version = 4');
    const other = await vault.again();
    try {
      await finished(5);
    } finally {
      await other.close();
    }
    expect(await vault.sql('SELECT count(*)::int AS n FROM tokens WHERE key_version <> 5')).toEqual([{ n: 0 }]);
    expect(await numberBehind(token)).toBe(NUMBERS[0]);
  });

  it('is for those who have the scope', async () => {
    expect((await vault.call(merchant, '/internal/vault/keys/rotate', { method: 'POST' })).status).toBe(403);
  });
});

describe('another instance', () => {
  it('works with the keys that this one has made', async () => {
    const other = await vault.again();
    try {
      const token = await vault.token(merchant, { reusable: true });
      await rotate();
      await finished(6);
      const response = await other.inject({
        method: 'GET',
        url: `/tokens/${token.tokenId}`,
        headers: { authorization: await vault.mint.authorization(merchant) },
      });
      expect(response.json<TokenResponse>().holderName).toBe('Ada Lovelace');
    } finally {
      await other.close();
    }
  });

  it('does not start with a key-encryption key that is not the one', async () => {
    const wrong = Buffer.alloc(32, 7).toString('base64');
    await expect(vault.again({ VAULT_KEK: wrong })).rejects.toThrow('VAULT_KEK does not open data key 1');
  });

  it.each([
    ['VAULT_KEK', 'c2hvcnQ='],
    ['VAULT_KEK', 'not base64'],
    ['VAULT_FINGERPRINT_KEY', ''],
    ['ACQUIRERS', '{'],
    ['ACQUIRERS', '{"sim":"ftp://x"}'],
  ])('does not start with %s = "%s", and does not print the value', async (name, value) => {
    const failure = await vault.again({ [name]: value }).then(
      async (app) => {
        await app.close();
        return undefined;
      },
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(Error);
    expect(String(failure)).toContain(name);
    if (value.length > 1) expect(String(failure)).not.toContain(value);
  });
});
