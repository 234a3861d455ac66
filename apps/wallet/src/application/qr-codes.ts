import { randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { CreateQrRequest, Principal, QrView } from '@payflow/contracts';
import { InjectConfig, Problem } from '@payflow/service';
import { toString as drawn } from 'qrcode';

import { type QrCode, qrKeyFrom, readQr, writeQr } from './qr-code.js';
import type { WalletConfig } from '../wallet.config.js';

const NONCE_BYTES = 12;

/** Codes by which merchants are paid from wallets. A code is all there is of it until it is paid. */
@Injectable()
export class QrCodes {
  private readonly key: Buffer;

  constructor(@InjectConfig() config: WalletConfig) {
    this.key = qrKeyFrom(config.BANK_ACCOUNT_KEY);
  }

  /** POST /wallet/qr @throws Problem merchant_required */
  async create({ merchantId }: Principal, request: CreateQrRequest): Promise<QrView> {
    if (merchantId === undefined) throw new Problem('merchant_required');
    const expiresAt = new Date((Math.floor(Date.now() / 1_000) + request.expiresInSeconds) * 1_000);
    const payload = writeQr(
      {
        merchantId,
        amountMinor: request.amount === undefined ? null : BigInt(request.amount),
        currency: request.currency,
        reference: request.reference ?? null,
        nonce: request.singleUse ? randomBytes(NONCE_BYTES).toString('base64url') : null,
        expiresAt,
      },
      this.key,
    );
    return { payload, svg: await drawn(payload, { type: 'svg' }), expiresAt: expiresAt.toISOString() };
  }

  /** @throws Problem qr_code_invalid */
  read(payload: string): QrCode {
    const code = readQr(payload, this.key, new Date());
    if (code === undefined)
      throw new Problem('qr_code_invalid', {
        errors: [{ pointer: '/qr', code: 'invalid', message: 'was not signed here, or has expired' }],
      });
    return code;
  }
}
