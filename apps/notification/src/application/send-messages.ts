import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { NOTIFICATION_EVENTS } from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Loop, Outbox, type OutgoingEvent } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { crashPoint, Logger } from '@payflow/service';

import { type Sender, SendingError } from '../clients/sender.js';
import { type Channel, expiryOf } from '../domain/message.js';
import { retryDelayMs } from '../domain/sending-schedule.js';
import {
  deleteEndedMessages,
  endMessage,
  postponeMessage,
  takeDueMessages,
  type TakenMessage,
} from '../store/messages.js';
import { Senders } from './senders.js';
import { WriteLetter } from './write-letter.js';

const POLL_MS = 500;
const TAKEN_MAX = 20;
/** Longer than a try can take, its turn on one of the connections included: SEND_TIMEOUT_MS of the SMTP sender. */
const LEASE_MS = 60_000;
const RETENTION_DAYS = 90;
const DELETED_MAX = 1_000;
const CLEANUP_INTERVAL_MS = 600_000;

/**
 * Empties the table of messages. What is to be sent was committed before, and each try is marked after: a process that dies
 * between the two sends once more, under the same message id. A loop for each channel, so that a mail server that hangs holds
 * up no SMS.
 */
@Injectable()
export class SendMessages implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loops: readonly Loop[];
  private cleanedAtMs = 0;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly senders: Senders,
    private readonly letters: WriteLetter,
    private readonly logger: Logger,
  ) {
    this.loops = (['email', 'sms'] as const).map(
      (channel) => new Loop(`${channel} messages`, logger, POLL_MS, async () => await this.pass(channel)),
    );
  }

  /** There is something to send. */
  poke(): void {
    for (const loop of this.loops) loop.poke();
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** @returns whether there may be more that is due */
  private async pass(channel: Channel): Promise<boolean> {
    await this.cleanUp();
    const taken = await takeDueMessages(this.database, channel, LEASE_MS, TAKEN_MAX);
    await Promise.all(taken.map(async (message) => await this.tryToSend(message)));
    return taken.length === TAKEN_MAX;
  }

  private async tryToSend(taken: TakenMessage): Promise<void> {
    const sender = this.senders.of(taken.channel);
    try {
      const letter = this.letters.run(taken);
      const expiresAt = expiryOf(letter.message);
      // A code that nobody can use any more would only puzzle.
      if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) {
        await endMessage(this.database, taken, 'EXPIRED', null);
        return;
      }
      if (sender === undefined) {
        await endMessage(this.database, taken, 'KEPT', null);
        return;
      }
      await this.send(sender, taken, letter);
    } catch (error) {
      await this.failed(taken, error);
    }
  }

  private async send(
    sender: Sender,
    taken: TakenMessage,
    letter: { readonly subject: string | null; readonly text: string; readonly html: string | null },
  ): Promise<void> {
    const { messageId, address } = taken;
    const { subject, text, html } = letter;
    await sender.send({ messageId, address, subject, text, html });
    crashPoint('notification.message.after-send');
    await endMessage(this.database, taken, 'SENT', null);
  }

  private async failed(taken: TakenMessage, error: unknown): Promise<void> {
    // What is not about sending is a bug or the database: tried again too, and looked at by people.
    const { reason, permanent } =
      error instanceof SendingError ? error : { reason: 'the message could not be handled', permanent: false };
    const { messageId, channel, tries } = taken;
    // A server's own words may name the address.
    const cause = error instanceof SendingError ? { reason } : { err: error };
    this.logger.warn({ ...cause, messageId, channel, tries }, 'a message was not sent');
    const delayMs = permanent ? undefined : retryDelayMs(tries, Math.random());
    if (delayMs !== undefined) {
      await postponeMessage(this.database, taken, delayMs, reason);
      return;
    }
    await this.database.transaction(async (tx) => {
      if (await endMessage(tx, taken, 'FAILED', reason)) await this.outbox.publishFirst(tx, [givenUp(taken, reason)]);
    });
  }

  private async cleanUp(): Promise<void> {
    if (performance.now() < this.cleanedAtMs + CLEANUP_INTERVAL_MS) return;
    // A whole portion may not have been all.
    if ((await deleteEndedMessages(this.database, RETENTION_DAYS, DELETED_MAX)) < DELETED_MAX)
      this.cleanedAtMs = performance.now();
  }
}

const givenUp = ({ messageId, channel, recipientId, eventId, tries }: TakenMessage, reason: string): OutgoingEvent => {
  const merchantId = isId('mer', recipientId) ? recipientId : null;
  const userId = isId('usr', recipientId) ? recipientId : null;
  return {
    definition: NOTIFICATION_EVENTS.failed,
    aggregateId: messageId,
    merchantId,
    key: merchantId ?? userId ?? messageId,
    payload: {
      deliveryId: messageId,
      channel,
      merchantId,
      userId,
      endpointId: null,
      eventId,
      tries,
      reason,
      endpointDisabled: false,
    },
    occurredAt: new Date(),
  };
};
