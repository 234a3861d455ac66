import { randomInt, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { sealedCodePlace, USER_EVENTS } from '@payflow/contracts';
import { Outbox, type OutgoingEvent } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, seal } from '@payflow/service';

import type { AuthConfig } from '../auth.config.js';
import { channelOf, CODE_LIFETIME_MS, type CodePurpose, messageOf, type MessagePurpose } from '../domain/codes.js';
import type { Address } from '../domain/login-name.js';
import { countCodeTry, deleteExpiredCodes, type OpenCode, replaceCode } from '../store/account-codes.js';
import { insertMail } from '../store/dev-mailbox.js';
import { findOwnerOfAddress, type User } from '../store/users.js';
import { AccountKeys } from './account-keys.js';

const CODES = 1_000_000;
const CODE_DIGITS = 6;
const CLEANUP_ONE_IN = 200;

/** Six digits that go to an address and come back from whoever reads it. */
@Injectable()
export class Codes {
  constructor(
    private readonly database: Database,
    private readonly keys: AccountKeys,
    private readonly outbox: Outbox,
    @InjectConfig() private readonly config: Pick<AuthConfig, 'CODE_SEALING_KEY' | 'DEMO_MODE'>,
  ) {}

  /**
   * Sends a code. Where the address is proven to be somebody else's, he is told instead, and the code goes nowhere: the
   * statements are the same, so that their time does not tell which it was.
   *
   * @param before events of the same transaction that come before the code's
   */
  async send(
    tx: Tx,
    user: Pick<User, 'id' | 'username'>,
    purpose: CodePurpose,
    address: Address,
    before: readonly OutgoingEvent[] = [],
  ): Promise<void> {
    const code = randomInt(CODES).toString().padStart(CODE_DIGITS, '0');
    const createdAt = new Date();
    const expiresAt = new Date(createdAt.getTime() + CODE_LIFETIME_MS);
    const owner = await findOwnerOfAddress(tx, address);
    if (Math.random() * CLEANUP_ONE_IN < 1) await deleteExpiredCodes(tx);
    const codeHash = this.hashOf(user.id, purpose, address, code);
    await replaceCode(tx, { userId: user.id, purpose, address, codeHash, createdAt, expiresAt });
    const elsewhere = owner !== undefined && owner.id !== user.id;
    const message = elsewhere
      ? { userId: owner.id, purpose: 'already_registered' as const, code: null, expiresAt: null }
      : { userId: user.id, purpose, code, expiresAt };
    await this.tell(tx, address, { ...message, account: user.username ?? user.id, at: createdAt }, before);
  }

  /**
   * Looks a code up; a try of it is counted for whatever is done next.
   *
   * @param only whose code counts; of two different people nobody's does
   */
  async tryCode(
    purpose: CodePurpose,
    address: Address,
    code: string,
    only: readonly string[] = [],
  ): Promise<OpenCode | undefined> {
    const open = await countCodeTry(this.database, purpose, address);
    return open.find(
      ({ userId, codeHash }) =>
        only.every((wanted) => wanted === userId) &&
        timingSafeEqual(codeHash, this.hashOf(userId, purpose, address, code)),
    );
  }

  private hashOf(userId: string, purpose: CodePurpose, address: Address, code: string): Buffer {
    return this.keys.codeHash(userId, purpose, address.kind, address.value, code);
  }

  private async tell(
    tx: Tx,
    address: Address,
    message: {
      readonly userId: string;
      /** As the message names it. */
      readonly account: string;
      readonly purpose: MessagePurpose;
      readonly code: string | null;
      readonly expiresAt: Date | null;
      readonly at: Date;
    },
    before: readonly OutgoingEvent[],
  ): Promise<void> {
    const { userId, account, purpose, code, expiresAt, at } = message;
    const [to, channel] = [address.value, channelOf(address)];
    if (this.config.DEMO_MODE)
      await insertMail(tx, { to, channel, purpose, code, sentAt: at, ...messageOf(purpose, channel, code, account) });
    const codeSealed =
      code === null ? null : seal(code, this.config.CODE_SEALING_KEY, sealedCodePlace(to)).toString('base64');
    const issued: OutgoingEvent = {
      definition: USER_EVENTS.codeIssued,
      aggregateId: userId,
      merchantId: null,
      key: userId,
      payload: { userId, channel, to, purpose, codeSealed, expiresAt: expiresAt?.toISOString() ?? null },
      occurredAt: at,
    };
    await this.outbox.publish(tx, [...before, issued]);
  }
}
