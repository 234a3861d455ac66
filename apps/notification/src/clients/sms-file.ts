import { appendFile } from 'node:fs/promises';

import { type Outgoing, type Sender, SendingError } from './sender.js';

/**
 * SMS as lines of JSON at the end of a file, for whatever forwards them: a provider's agent, or a person with `tail -f`.
 * A line is one write, so lines of several instances do not mix (O_APPEND).
 */
export class SmsFile implements Sender {
  constructor(private readonly path: string) {}

  async send({ messageId, address, text }: Outgoing): Promise<void> {
    const line = JSON.stringify({ messageId, to: address, text, at: new Date().toISOString() });
    try {
      await appendFile(this.path, `${line}\n`);
    } catch (error) {
      throw new SendingError('sms file not writable', false, { cause: error });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
