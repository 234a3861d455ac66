import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { InjectConfig } from '@payflow/service';
import { z } from 'zod';

import type { PayoutAccount } from '../domain/payout-account.js';
import type { SettlementConfig } from '../settlement.config.js';

const ALGORITHM = 'aes-256-gcm';
/** NIST SP 800-38D §8.2.2: a random 96-bit nonce allows 2³² encryptions under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const accountSchema = z.strictObject({ iban: z.string(), name: z.string() });

/** Payout accounts at rest: sealed, and bound to their merchant. */
@Injectable()
export class PayoutAccountSeal {
  private readonly key: Buffer;

  constructor(@InjectConfig() config: SettlementConfig) {
    this.key = config.BANK_ACCOUNT_KEY;
  }

  seal(account: PayoutAccount, merchantId: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(aadOf(merchantId));
    return Buffer.concat([nonce, cipher.update(JSON.stringify(account), 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws when the bytes belong to another key or merchant */
  unseal(sealed: Buffer, merchantId: string): PayoutAccount {
    const decipher = createDecipheriv(ALGORITHM, this.key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(aadOf(merchantId));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const text = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES), undefined, 'utf8');
    return accountSchema.parse(JSON.parse(text + decipher.final('utf8')));
  }
}

/** The wallet may have the same key for its own accounts: the two never pass for each other. */
const aadOf = (merchantId: string): Buffer => Buffer.from(`payout-account ${merchantId}`, 'utf8');
