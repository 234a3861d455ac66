import { Controller } from '@nestjs/common';
import { type Envelope, USER_EVENTS } from '@payflow/contracts';
import { type Delivery, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { SealBrokenError } from '@payflow/service';

import { Announce } from '../application/announce.js';
import { WriteLetter } from '../application/write-letter.js';
import { ofCode } from '../domain/announcements.js';
import type { Announcement } from '../domain/message.js';
import { insertPeople, storeProvenEmails, storeProvenPhones } from '../store/contacts.js';
import { payloadOf } from './payload-of.js';

/** Names the consumer group, its inbox and its gates. Never renamed, or every event would be applied again. */
export const CONTACTS_CONSUMER = 'notification.contacts';

/** Where people are reached, as auth tells it; and the codes that they asked for. */
@Controller()
export class UserMessagesController {
  constructor(
    private readonly announce: Announce,
    private readonly letters: WriteLetter,
  ) {}

  @Subscription({ consumer: CONTACTS_CONSUMER, kind: 'user', ordered: true })
  async learn(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    const learnt = new Learnt();
    const told = deliveries.map((delivery) => ({ delivery, announcements: this.apply(delivery.envelope, learnt) }));
    await insertPeople(tx, learnt.people);
    await storeProvenEmails(tx, learnt.emails);
    await storeProvenPhones(tx, learnt.phones);
    await this.announce.run(tx, told);
  }

  private apply(envelope: Envelope, learnt: Learnt): readonly Announcement[] {
    switch (envelope.type) {
      case USER_EVENTS.registered.type:
        learnt.people.push(payloadOf(USER_EVENTS.registered, envelope));
        return [];
      case USER_EVENTS.verified.type: {
        const { userId, channel, address } = payloadOf(USER_EVENTS.verified, envelope);
        // Of two in one batch the later holds.
        (channel === 'email' ? learnt.emails : learnt.phones).set(userId, address);
        return [];
      }
      case USER_EVENTS.codeIssued.type: {
        const issued = payloadOf(USER_EVENTS.codeIssued, envelope);
        this.requireOpens(issued.codeSealed, issued.to);
        return ofCode(issued);
      }
      case USER_EVENTS.blocked.type:
      case USER_EVENTS.unblocked.type:
        // Whoever is blocked is still owed his receipts.
        return [];
      default:
        throw new PoisonError(`the notification service does not know ${envelope.type}`);
    }
  }

  /** With another key than auth's no code will ever go out: people have to see that, now and not at the sending. */
  private requireOpens(codeSealed: string | null, to: string): void {
    try {
      if (codeSealed !== null) this.letters.open(codeSealed, to);
    } catch (error) {
      if (error instanceof SealBrokenError) throw new PoisonError('the code does not open', { cause: error });
      throw error;
    }
  }
}

/** What a batch tells of people, in the order of its events. */
class Learnt {
  readonly people: { readonly userId: string; readonly username: string | null }[] = [];
  readonly emails = new Map<string, string>();
  readonly phones = new Map<string, string>();
}
