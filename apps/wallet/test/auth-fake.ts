import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import type { InternalUser } from '@payflow/contracts';
import type { TokenMint } from '@payflow/testing';

/** Auth as the wallet service sees it: tokens by the mint, and people whom it may ask about. */
export class AuthFake {
  /** Whom it knows. */
  readonly users: InternalUser[] = [];
  /** How often it was asked about people. */
  asked = 0;

  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly mint: TokenMint,
  ) {}

  static async open(mint: TokenMint): Promise<AuthFake> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    const fake = new AuthFake(`http://127.0.0.1:${String(address.port)}`, server, mint);
    server.on('request', (request, response) => {
      fake.answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    return fake;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname.startsWith('/internal/users')) {
      this.answerUser(url, response);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization, 'content-type': contentType } = request.headers;
    const passed = await fetch(`${this.mint.url}${url.pathname}${url.search}`, {
      method: request.method ?? 'GET',
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    response.writeHead(passed.status, { 'content-type': 'application/json' });
    response.end(await passed.text());
  }

  private answerUser(url: URL, response: ServerResponse): void {
    this.asked += 1;
    const id = url.pathname.split('/')[3];
    const wanted = [...url.searchParams];
    const user = this.users.find((known) =>
      id === undefined
        ? wanted.every(([name, value]) => known[name as keyof InternalUser] === value)
        : known.userId === id,
    );
    response.writeHead(user === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(user ?? NOT_FOUND));
  }
}

const PAGE = 'http://gateway.test/docs/problems/user_not_found';
const NOT_FOUND = {
  type: PAGE,
  title: 'There is no such user',
  status: 404,
  code: 'user_not_found',
  requestId: 'req_auth',
  docUrl: PAGE,
};
