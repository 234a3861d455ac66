import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Logger, Problem } from '@payflow/service';

import { type Mail, MailboxAtAuth } from '../clients/mailbox-at-auth.js';
import { readMailbox } from '../store/messages.js';
import { WriteLetter } from './write-letter.js';

const MAILS_MAX = 50;

/**
 * What was written to whom in the last hour. A code whose event is still on its way is shown as auth has told it, so that
 * whoever has just asked for one finds it.
 */
@Injectable()
export class ReadMailbox {
  constructor(
    private readonly database: Database,
    private readonly auth: MailboxAtAuth,
    private readonly letters: WriteLetter,
    private readonly logger: Logger,
  ) {}

  async run(to: string | undefined): Promise<readonly Mail[]> {
    // Auth first: what arrives meanwhile is then found here.
    const issued = await this.issued(to);
    const rows = await readMailbox(this.database, to === undefined ? undefined : plainAddress(to), MAILS_MAX);
    const told = rows.map((row): Mail => {
      const { message, code, subject, text } = this.letters.run(row);
      const { address, channel, occurredAt } = row;
      return { to: address, channel, purpose: message.kind, subject, text, code, sentAt: occurredAt.toISOString() };
    });
    const known = new Set(told.map(keyOf));
    return [...issued.filter((mail) => !known.has(keyOf(mail))), ...told]
      .sort((a, b) => b.sentAt.localeCompare(a.sentAt))
      .slice(0, MAILS_MAX);
  }

  private async issued(to: string | undefined): Promise<readonly Mail[]> {
    try {
      return await this.auth.read(to);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.logger.warn({ err: error }, 'auth does not tell its codes: those that have arrived are shown');
      return [];
    }
  }
}

/** The time is that of the event, which auth's own row has too. */
const keyOf = ({ to, purpose, sentAt }: Mail): string => `${sentAt} ${purpose} ${to}`;

/** `?to=+44…` arrives with a space: a plus means one in a query. */
const plainAddress = (to: string): string =>
  to.includes('@')
    ? to.normalize('NFKC').trim().toLowerCase()
    : to.replace(/^ ?(?=\d)/, '+').replaceAll(/[\s().-]/g, '');
