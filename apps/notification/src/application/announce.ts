import { Injectable } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import type { Delivery } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { destinationsOf } from '../domain/chosen-channels.js';
import { type Announcement, isSecurityMessage } from '../domain/message.js';
import { findRecipients, type Recipient } from '../store/contacts.js';
import { insertMessages, type NewMessage } from '../store/messages.js';
import { SendMessages } from './send-messages.js';

/** An event, and what it gives cause to say. */
export interface Told {
  readonly delivery: Delivery;
  readonly announcements: readonly Announcement[];
}

/** Writes down what is to be sent, in the transaction that takes the events: each event is told once, whatever crashes. */
@Injectable()
export class Announce {
  constructor(private readonly sending: SendMessages) {}

  async run(tx: Tx, told: readonly Told[]): Promise<void> {
    const wanted = told.flatMap(({ announcements }) =>
      announcements.flatMap(({ audience }) => (audience.to === 'recipient' ? [audience.recipientId] : [])),
    );
    const recipients = wanted.length === 0 ? NOBODY : await findRecipients(tx, wanted);
    const messages = told.flatMap(({ delivery, announcements }) =>
      announcements.flatMap((announcement) => messagesOf(delivery, announcement, recipients)),
    );
    if ((await insertMessages(tx, messages)) === 0) return;
    tx.onCommit(() => {
      this.sending.poke();
    });
  }
}

const NOBODY: ReadonlyMap<string, Recipient> = new Map();

const messagesOf = (
  { envelope }: Delivery,
  { audience, message }: Announcement,
  recipients: ReadonlyMap<string, Recipient>,
): readonly NewMessage[] => {
  const { recipientId } = audience;
  const about = {
    eventId: envelope.eventId,
    recipientId,
    message,
    urgent: isSecurityMessage(message.kind),
    occurredAt: new Date(envelope.occurredAt),
  };
  const destinations =
    audience.to === 'address' ? [audience] : knownDestinations(message.kind, recipients.get(recipientId));
  return destinations.map(({ channel, address }) => ({ messageId: newId('del'), ...about, channel, address }));
};

/** Of whom nothing is known, nobody can be told. */
const knownDestinations = (kind: Announcement['message']['kind'], recipient: Recipient | undefined) =>
  recipient === undefined ? [] : destinationsOf(kind, recipient, recipient.channels);
