import { Injectable } from '@nestjs/common';
import type { OwnTransferRequest, Principal, TransferRequest as TransferBody } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import {
  currentContext,
  Idempotency,
  InjectConfig,
  Problem,
  type RequestMeta,
  type StoredAnswer,
} from '@payflow/service';
import { parsePhoneNumberFromString } from 'libphonenumber-js';

import { maskedAddress } from '../domain/masked-address.js';
import type { Channel } from '../store/owners.js';
import { findDefaultWallet } from '../store/wallets.js';
import type { WalletConfig } from '../wallet.config.js';
import { KnowOwners } from './know-owners.js';
import { OpenWallets } from './open-wallets.js';
import { walletNotFound } from './refusals.js';
import { TransferCommitter } from './transfer-committer.js';
import type { TransferRequest } from './transfer-request.js';

/** Where the money goes, with what the history shows of it. */
type Target = Pick<TransferRequest, 'to' | 'counterparty'>;

/** POST /wallets/transfer and POST /wallet/transfer */
@Injectable()
export class SendTransfer {
  constructor(
    private readonly database: Database,
    private readonly committer: TransferCommitter,
    private readonly idempotency: Idempotency,
    private readonly owners: KnowOwners,
    private readonly wallets: OpenWallets,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /** Between two wallets that are named. @throws Problem of TransferCommitter.send */
  async betweenWallets(caller: Principal, body: TransferBody, meta: RequestMeta): Promise<StoredAnswer> {
    return await this.committer.send({
      ...this.requestOf(caller, body, meta),
      fromWalletId: body.fromWallet,
      to: { walletId: body.toWallet },
      counterparty: null,
    });
  }

  /** From the caller's own wallet to a wallet or a person. @throws Problem of TransferCommitter.send */
  async fromOwnWallet(caller: Principal, body: OwnTransferRequest, meta: RequestMeta): Promise<StoredAnswer> {
    const request = this.requestOf(caller, body, meta);
    const currency = body.currency ?? this.config.WALLET_DEFAULT_CURRENCY;
    try {
      const [from, target] = await Promise.all([
        body.fromWallet ?? this.defaultWalletOf(caller.id, currency),
        this.targetOf(body, currency),
      ]);
      return await this.committer.send({ ...request, currency, fromWalletId: from, ...target });
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      // Nobody to pay: with a key that was answered before, that answer all the same.
      return await this.committer.send({
        ...request,
        fromWalletId: '',
        to: { walletId: '' },
        counterparty: null,
        refusal: error,
      });
    }
  }

  private requestOf(
    caller: Principal,
    body: TransferBody | OwnTransferRequest,
    meta: RequestMeta,
  ): Omit<TransferRequest, 'fromWalletId' | 'to' | 'counterparty'> {
    return {
      transactionId: newId('txn'),
      identity: this.idempotency.identify({ meta, principal: caller, body }),
      callerId: caller.id,
      amount: body.amount,
      currency: body.currency,
      note: body.note ?? null,
      context: currentContext(),
    };
  }

  private async defaultWalletOf(userId: string, currency: string): Promise<string> {
    const wallet = await findDefaultWallet(this.database, userId, currency);
    if (wallet === undefined) throw walletNotFound('fromWallet');
    return wallet.id;
  }

  private async targetOf(body: OwnTransferRequest, currency: string): Promise<Target> {
    if (body.toWallet !== undefined) return { to: { walletId: body.toWallet }, counterparty: null };
    if (body.toEmail !== undefined) return await this.targetAt('email', body.toEmail.toLowerCase(), currency);
    if (body.toPhone !== undefined) return await this.targetAt('phone', phoneNumber(body.toPhone), currency);
    const receiver = await this.owners.byUsername(body.toUsername ?? '');
    if (receiver === undefined) {
      throw new Problem('receiver_not_found', {
        errors: [{ pointer: '/toUsername', code: 'not_found', message: 'is not known' }],
      });
    }
    return { to: { walletId: await this.walletOf(receiver.userId, currency) }, counterparty: null };
  }

  /** Whoever has shown that the address is his; else the money waits for him. */
  private async targetAt(channel: Channel, address: string, currency: string): Promise<Target> {
    const receiver = await this.owners.byAddress(channel, address);
    const counterparty = maskedAddress(channel, address);
    if (receiver === undefined) return { to: { channel, address }, counterparty };
    return { to: { walletId: await this.walletOf(receiver.userId, currency) }, counterparty };
  }

  private async walletOf(userId: string, currency: string): Promise<string> {
    return (await this.wallets.defaultWallet(userId, currency)).id;
  }
}

/** As auth spells it, so that whoever verifies the number is found. @throws Problem validation_failed for what is none */
const phoneNumber = (written: string): string => {
  const number = parsePhoneNumberFromString(written);
  if (number?.isValid() === true) return number.number;
  throw new Problem('validation_failed', {
    errors: [{ pointer: '/toPhone', code: 'invalid', message: 'is not a phone number' }],
  });
};
