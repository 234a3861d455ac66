import { dirname } from 'node:path';

import { Failure } from '../servers/failure.ts';
import { readJson } from '../servers/files.ts';
import { stackPaths } from '../stack/paths.ts';
import type { Secrets } from '../stack/secrets.ts';
import type { DemoFile } from '../stack/state.ts';
import { call } from './call.ts';

/** A client's access token, by its own login. */
export const tokenOf = async (
  gateway: string,
  client: { readonly clientId: string; readonly clientSecret: string },
): Promise<string> => {
  const response = await fetch(`${gateway}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      grant_type: 'client_credentials',
      client_id: client.clientId,
      client_secret: client.clientSecret,
    }),
  });
  const body = (await response.json()) as { readonly access_token?: string };
  if (body.access_token === undefined) throw new Failure(`${client.clientId} got no token: ${JSON.stringify(body)}`);
  return body.access_token;
};

/** The demo administrator's. */
export const adminTokenOf = async ({ gateway, admin }: DemoFile): Promise<string> =>
  (await call<{ token: string }>('POST', `${gateway}/auth/login`, undefined, admin)).token;

/** A service's own, for the doors that services keep for each other: they are not at the gateway. */
export const serviceTokenOf = async (stack: DemoFile, service: string): Promise<string> => {
  const { secrets } = stackPaths({ PAYFLOW_HOME: dirname(stack.logs) });
  const clientSecret = readJson<Secrets>(secrets)?.serviceClients[service];
  if (clientSecret === undefined) throw new Failure(`${secrets} has no secret of ${service}.`);
  return await tokenOf(stack.services['auth'] ?? '', { clientId: `svc_${service}`, clientSecret });
};
