import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import { newWrappedKey } from '../crypto/wrapped-key.js';
import type { Owner } from '../domain/ownership.js';
import { insertToken, lockToken, rebindToken } from '../store/tokens.js';
import { insertKey, wrappedKeys } from '../store/vault-keys.js';
import type { TokenizationConfig } from '../tokenization.config.js';
import { createdEvent, newTokenRow } from './create-token.js';
import { KeyRing } from './key-ring.js';

/** The token and card that the documents print, with an expiry far away. */
const DEMO_TOKEN = 'tok_abcdef';
const DEMO_CARD = { number: '4242424242424242', expMonth: 12, expYear: 2034 };

/** At the start: a first data key, proof that VAULT_KEK opens every key, and the demo token where there is demo data. */
@Injectable()
export class OpenVault implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly keyRing: KeyRing,
    private readonly outbox: Outbox,
    @InjectConfig() private readonly config: TokenizationConfig,
  ) {}

  /** @throws WrongKekError: the service does not start with a key that cannot read its cards */
  async onModuleInit(): Promise<void> {
    if ((await wrappedKeys(this.database)).length === 0) {
      await insertKey(this.database, 1, newWrappedKey(this.config.VAULT_KEK, 1), new Date());
    }
    for (const row of await wrappedKeys(this.database)) this.keyRing.open(row);
    const merchantId = this.config.DEMO_DATA?.merchant.merchantId;
    if (this.config.DEMO_MODE && merchantId !== undefined) {
      await this.database.transaction(async (tx) => {
        await this.seedDemoToken(tx, { merchantId, userId: null });
      });
    }
  }

  private async seedDemoToken(tx: Tx, owner: Owner): Promise<void> {
    const current = await this.keyRing.current(tx);
    const row = newTokenRow(DEMO_TOKEN, DEMO_CARD, owner, current, this.config.VAULT_FINGERPRINT_KEY, new Date());
    if (await insertToken(tx, row)) {
      await this.outbox.publish(tx, [createdEvent(row)]);
      return;
    }
    const existing = await lockToken(tx, DEMO_TOKEN);
    if (existing?.merchantId !== owner.merchantId || existing.deletedAt !== null) await rebindToken(tx, row);
  }
}
