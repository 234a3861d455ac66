import { type LoadClient, SUCCESS } from '../load.ts';
import { HttpConnection } from './http-connection.ts';

export interface WebhookPosts {
  /** The receiver. */
  readonly url: string;
  readonly body: string;
}

/** What it takes at the least: the same body to the same receiver, again and again. Nothing is signed, and nothing written down. */
export const open = async ({ url, body }: WebhookPosts): Promise<LoadClient> => {
  const connection = await HttpConnection.open(url);
  const { pathname } = new URL(url);
  return {
    perform: async () => {
      const { status } = await connection.send('POST', pathname, '', body);
      return status === 200 ? SUCCESS : String(status);
    },
    close: () => connection.close(),
  };
};
