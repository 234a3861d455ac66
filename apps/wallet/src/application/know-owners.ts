import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';

import { OwnersAtAuth } from '../clients/owners-at-auth.js';
import {
  type Channel,
  findOwner,
  findOwnerByUsername,
  findOwnersByAddress,
  type OwnerRow,
  storeOwner,
} from '../store/owners.js';

/** Who people are: from the events about them, and from auth itself before somebody is refused something for what is not known. */
@Injectable()
export class KnowOwners {
  constructor(
    private readonly database: Database,
    private readonly auth: OwnersAtAuth,
  ) {}

  /** As auth says it now, kept for the next time. @throws ServiceUnavailableError */
  async refresh(userId: string): Promise<OwnerRow | undefined> {
    return await this.keep(await this.auth.byId(userId));
  }

  async known(userId: string): Promise<OwnerRow | undefined> {
    return await findOwner(this.database, userId);
  }

  /** Who has shown that this address is his. Auth is asked when nobody is known, or two are. @throws ServiceUnavailableError */
  async byAddress(channel: Channel, address: string): Promise<OwnerRow | undefined> {
    const [known, another] = await findOwnersByAddress(this.database, channel, address);
    if (known !== undefined && another === undefined) return known;
    const found = await this.keep(await this.auth.find(channel === 'email' ? { email: address } : { phone: address }));
    return (channel === 'email' ? found?.emailVerified : found?.phoneVerified) === true ? found : undefined;
  }

  /** @throws ServiceUnavailableError */
  async byUsername(username: string): Promise<OwnerRow | undefined> {
    return (
      (await findOwnerByUsername(this.database, username)) ?? (await this.keep(await this.auth.find({ username })))
    );
  }

  private async keep(owner: OwnerRow | undefined): Promise<OwnerRow | undefined> {
    if (owner !== undefined) await storeOwner(this.database, owner);
    return owner;
  }
}
