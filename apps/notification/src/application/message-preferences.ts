import { Injectable } from '@nestjs/common';
import {
  MERCHANT_MESSAGES,
  type MerchantMessagePreferences,
  type MessagePreferences,
  PERSON_MESSAGES,
  type Principal,
  type SetMerchantMessagePreferences,
  type SetMessagePreferences,
} from '@payflow/contracts';
import { Database, type Sql, type Tx } from '@payflow/postgres';
import { entityTag, Idempotency, Problem, type RequestMeta, requireVersion, type StoredAnswer } from '@payflow/service';

import { type ChannelChoices, defaultChannels } from '../domain/chosen-channels.js';
import type { Channel } from '../domain/message.js';
import { findRecipients, lockPreferences, type Recipient, storeContact, storePreferences } from '../store/contacts.js';

const LEASE_MS = 5_000;

export interface Read<View> {
  readonly view: View;
  readonly version: bigint;
}

interface Change<Body> {
  readonly principal: Principal;
  readonly meta: RequestMeta;
  readonly body: Body;
}

/** Over which channels somebody is written to, and a merchant also where. */
@Injectable()
export class MessagePreferencesOf {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  async person(principal: Principal): Promise<Read<MessagePreferences>> {
    const userId = personOf(principal);
    return personView(userId, await this.read(this.database, userId));
  }

  async merchant(principal: Principal): Promise<Read<MerchantMessagePreferences>> {
    const merchantId = merchantOf(principal);
    return merchantView(merchantId, await this.read(this.database, merchantId));
  }

  async setPerson(change: Change<SetMessagePreferences>): Promise<StoredAnswer> {
    const userId = personOf(change.principal);
    return await this.change(userId, change, async (tx) => {
      await storePreferences(tx, userId, given(change.body.channels));
      return personView(userId, await this.read(tx, userId));
    });
  }

  async setMerchant(change: Change<SetMerchantMessagePreferences>): Promise<StoredAnswer> {
    const merchantId = merchantOf(change.principal);
    return await this.change(merchantId, change, async (tx) => {
      await storeContact(tx, merchantId, change.body.contact);
      await storePreferences(tx, merchantId, given(change.body.channels));
      return merchantView(merchantId, await this.read(tx, merchantId));
    });
  }

  private async change(
    recipientId: string,
    { principal, meta, body }: Change<unknown>,
    work: (tx: Tx) => Promise<Read<unknown>>,
  ): Promise<StoredAnswer> {
    const identity = this.idempotency.identify({ principal, meta, body });
    const options = { resourceId: recipientId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      requireVersion(meta.ifMatch, await lockPreferences(tx, recipientId));
      const { view, version } = await work(tx);
      return { status: 200, body: view, headers: { etag: entityTag(version) } };
    });
  }

  private async read(sql: Sql, recipientId: string): Promise<Recipient> {
    const known = (await findRecipients(sql, [recipientId])).get(recipientId);
    return known ?? { recipientId, email: null, phone: null, channels: {}, version: 0n };
  }
}

/** Clients have no addresses of their own. @throws Problem */
const personOf = ({ id, kind }: Principal): string => {
  if (kind !== 'user') throw new Problem('insufficient_scope', { detail: 'Only a person can do this.' });
  return id;
};

/** @throws Problem merchant_not_found for staff, who act for no merchant here */
const merchantOf = ({ merchantId }: Principal): string => {
  if (merchantId === undefined) throw new Problem('merchant_not_found');
  return merchantId;
};

/** Without those that were left out. */
const given = (channels: Readonly<Record<string, readonly Channel[] | undefined>>): ChannelChoices =>
  Object.fromEntries(Object.entries(channels).filter(([, chosen]) => chosen !== undefined));

const personView = (userId: string, recipient: Recipient): Read<MessagePreferences> => ({
  view: { userId, contact: contactOf(recipient), channels: resolved(PERSON_MESSAGES, recipient) },
  version: recipient.version,
});

const merchantView = (merchantId: string, recipient: Recipient): Read<MerchantMessagePreferences> => ({
  view: { merchantId, contact: contactOf(recipient), channels: resolved(MERCHANT_MESSAGES, recipient) },
  version: recipient.version,
});

const contactOf = ({ email, phone }: Recipient) => ({ email, phone });

const resolved = <Kind extends keyof ChannelChoices>(
  kinds: readonly Kind[],
  recipient: Recipient,
): Record<Kind, Channel[]> =>
  Object.fromEntries(
    kinds.map((kind) => [kind, [...(recipient.channels[kind] ?? defaultChannels(recipient))]]),
  ) as Record<Kind, Channel[]>;
