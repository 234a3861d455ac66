import { Failure } from '../servers/failure.ts';

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
