import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';

import { merchantPrincipal, TokenMint } from './token-mint.js';

describe('TokenMint', () => {
  let mint: TokenMint;
  beforeAll(async () => {
    mint = await TokenMint.open();
  });
  afterAll(async () => {
    await mint.close();
  });

  const verify = (token: string) =>
    jwtVerify(token, createRemoteJWKSet(new URL('/.well-known/jwks.json', mint.url)), {
      issuer: mint.url,
      audience: 'payflow',
      typ: 'at+jwt',
    });

  it('mints tokens that verify against the keys it serves', async () => {
    const { payload } = await verify(await mint.token(merchantPrincipal('mer_1')));
    expect(payload).toMatchObject({ kind: 'client', roles: ['merchant'], merchant_id: 'mer_1' });
  });

  it('mints expired tokens for tests of refusal', async () => {
    await expect(verify(await mint.token(merchantPrincipal('mer_1'), { expiresInSeconds: -60 }))).rejects.toThrow(
      /exp/,
    );
  });

  it('answers the client credentials of services and of nobody else', async () => {
    const ask = (clientId: string) =>
      fetch(new URL('/oauth/token', mint.url), {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: 'any' }),
      });
    const answer = (await (await ask('svc_payment')).json()) as { access_token: string };
    expect((await verify(answer.access_token)).payload).toMatchObject({ sub: 'svc_payment', kind: 'service' });
    expect((await ask('cli_someone')).status).toBe(401);
  });
});
