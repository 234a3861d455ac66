import { createTransport, type Transporter } from 'nodemailer';

import { type Outgoing, type Sender, SendingError } from './sender.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** A server that drips a byte now and then is left at this, whatever it drips. */
const SEND_TIMEOUT_MS = 30_000;
const CONNECTIONS_MAX = 5;

/** Mails by SMTP (RFC 5321), over a few connections that stay open. */
export class SmtpSender implements Sender {
  private readonly transport: Transporter;
  private readonly domain: string;

  /** @param from `PayFlow <no-reply@payflow.example>` */
  constructor(
    url: string,
    private readonly from: string,
  ) {
    this.domain = /@([^\s>]+)>?$/.exec(from)?.[1] ?? 'localhost';
    this.transport = createTransport({
      url,
      pool: true,
      maxConnections: CONNECTIONS_MAX,
      // One whose connection broke may have arrived: the worker repeats it and counts the try.
      maxRequeues: 0,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SEND_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send({ messageId, address, subject, text, html }: Outgoing): Promise<void> {
    try {
      await this.transport.sendMail({
        from: this.from,
        to: { name: '', address },
        subject: subject ?? '',
        text,
        ...(html === null ? {} : { html }),
        messageId: `<${messageId}@${this.domain}>`,
        // RFC 3834: no holiday notice comes back.
        headers: { 'auto-submitted': 'auto-generated' },
        signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
      });
    } catch (error) {
      throw sendingErrorOf(error);
    }
  }

  close(): Promise<void> {
    this.transport.close();
    return Promise.resolve();
  }
}

/** By shape: what a server answered is a number, and its text may name the address. */
const sendingErrorOf = (error: unknown): SendingError => {
  const { code, responseCode, permanent } = (error ?? {}) as {
    readonly code?: unknown;
    readonly responseCode?: unknown;
    readonly permanent?: unknown;
  };
  const said = [typeof code === 'string' ? code : 'ESEND', ...(typeof responseCode === 'number' ? [responseCode] : [])];
  return new SendingError(`smtp ${said.join(' ')}`, permanent === true && !isAboutUs(code), { cause: error });
};

/** A wrong password or sender of ours is put right by people, and then the mail can go. */
const isAboutUs = (code: unknown): boolean => code === 'EAUTH' || code === 'ENOAUTH' || code === 'ECONFIG';
