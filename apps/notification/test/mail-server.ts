import { once } from 'node:events';

import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  readonly to: readonly string[];
  /** As it came over the wire, soft line breaks taken out. */
  readonly text: string;
  readonly messageId: string;
  readonly subject: string;
}

/** A mail server that keeps what it takes. It can be stopped, and started again at the same port. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  private server: SMTPServer | undefined;

  private constructor(private port: number) {}

  static async start(): Promise<MailServer> {
    const mails = new MailServer(0);
    await mails.open();
    return mails;
  }

  /** For SMTP_URL. */
  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  mailsTo(address: string): readonly ReceivedMail[] {
    return this.mails.filter(({ to }) => to.includes(address));
  }

  async open(): Promise<void> {
    const server = new SMTPServer(this.options());
    server.on('error', () => undefined);
    server.listen(this.port, '127.0.0.1');
    await once(server.server, 'listening');
    const address = server.server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    this.port = address.port;
    this.server = server;
  }

  async close(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    // It would wait for connections that the service keeps open.
    for (const connection of server.connections) connection.close();
    await new Promise<void>((resolve) => {
      server.close(resolve);
    });
  }

  private options(): SMTPServerOptions {
    return {
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      onRcptTo: ({ address }, _session, callback) => {
        if (!address.startsWith('nobody')) callback();
        else callback(Object.assign(new Error('no such mailbox here'), { responseCode: 550 }));
      },
      onData: (stream, session, callback) => {
        void (async () => {
          const chunks: Buffer[] = [];
          for await (const chunk of stream) chunks.push(chunk as Buffer);
          const text = Buffer.concat(chunks).toString('utf8').replaceAll('=\r\n', '').replaceAll('=3D', '=');
          const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
          const to = session.envelope.rcptTo.map(({ address }) => address);
          this.mails.push({ to, text, messageId: header('message-id'), subject: header('subject') });
          callback();
        })();
      },
    };
  }
}
