import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { InjectConfig } from '@payflow/service';
import { z } from 'zod';

import type { BankAccount } from '../domain/bank-account.js';
import type { WalletConfig } from '../wallet.config.js';

const ALGORITHM = 'aes-256-gcm';
/** NIST SP 800-38D §8.2.2: a random 96-bit nonce allows 2³² encryptions under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const accountSchema = z.union([
  z.strictObject({ iban: z.string(), name: z.string() }),
  z.strictObject({ accountNumber: z.string(), routingNumber: z.string(), name: z.string() }),
]);

/** Bank accounts at rest, for as long as the bank may have to be told: sealed, and bound to their transaction. */
@Injectable()
export class BankAccountSeal {
  private readonly key: Buffer;

  constructor(@InjectConfig() config: WalletConfig) {
    this.key = config.BANK_ACCOUNT_KEY;
  }

  seal(account: BankAccount, transactionId: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(transactionId, 'utf8'));
    return Buffer.concat([nonce, cipher.update(JSON.stringify(account), 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws when the bytes belong to another key or transaction */
  unseal(sealed: Buffer, transactionId: string): BankAccount {
    const decipher = createDecipheriv(ALGORITHM, this.key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(transactionId, 'utf8'));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const text = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES), undefined, 'utf8');
    return accountSchema.parse(JSON.parse(text + decipher.final('utf8')));
  }
}
