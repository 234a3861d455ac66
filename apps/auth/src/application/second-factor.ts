import { Injectable } from '@nestjs/common';
import type { Sql, Tx } from '@payflow/postgres';
import { seal, unseal } from '@payflow/service';

import { newRecoveryCodes, plainRecoveryCode } from '../credentials/recovery-codes.js';
import { newTotpSecret, otpauthUri, stepOf } from '../domain/totp.js';
import {
  confirmSecondFactor,
  deleteSecondFactor,
  enrollSecondFactor,
  findSecondFactor,
  type SecondFactor as StoredFactor,
  takeRecoveryCode,
  takeStep,
} from '../store/second-factors.js';
import { lockUser } from '../store/users.js';
import { AccountKeys } from './account-keys.js';

/** What is shown beside the password: the code of an authenticator, or one of the recovery codes. */
export interface ShownCode {
  readonly totp?: string | undefined;
  readonly recoveryCode?: string | undefined;
}

export interface Enrollment {
  readonly secret: string;
  readonly otpauthUri: string;
}

export type ConfirmOutcome =
  | { readonly kind: 'confirmed'; readonly recoveryCodes: readonly string[] }
  | { readonly kind: 'not_enrolled' }
  | { readonly kind: 'already_enabled' }
  | { readonly kind: 'wrong_code' };

/** Time-based codes (RFC 6238), each good once, and recovery codes for who has lost the authenticator. */
@Injectable()
export class SecondFactor {
  constructor(private readonly keys: AccountKeys) {}

  async isEnabled(sql: Sql, userId: string): Promise<boolean> {
    return isConfirmed(await findSecondFactor(sql, userId));
  }

  /** @returns undefined when there is a confirmed one */
  async enroll(tx: Tx, userId: string): Promise<Enrollment | undefined> {
    const user = await lockUser(tx, userId);
    if (!user || isConfirmed(await findSecondFactor(tx, userId))) return undefined;
    const secret = newTotpSecret();
    await enrollSecondFactor(tx, userId, seal(secret, this.keys.sealing, placeOf(userId)));
    return { secret, otpauthUri: otpauthUri(secret, user.username ?? user.email ?? user.phone ?? userId) };
  }

  /** From now on the login asks for a code. */
  async confirm(tx: Tx, userId: string, totp: string): Promise<ConfirmOutcome> {
    await lockUser(tx, userId);
    const factor = await findSecondFactor(tx, userId);
    if (!factor) return { kind: 'not_enrolled' };
    if (isConfirmed(factor)) return { kind: 'already_enabled' };
    if (!(await this.takeTotp(tx, userId, factor, totp))) return { kind: 'wrong_code' };
    const recoveryCodes = newRecoveryCodes();
    await confirmSecondFactor(
      tx,
      userId,
      recoveryCodes.map((code) => this.recoveryHash(userId, code)),
    );
    return { kind: 'confirmed', recoveryCodes };
  }

  /** Uses the code up. @returns whether it was good; also when there is no second factor to be asked for */
  async use(tx: Tx, userId: string, shown: ShownCode): Promise<boolean> {
    const factor = await findSecondFactor(tx, userId);
    if (!factor || !isConfirmed(factor)) return true;
    if (shown.totp !== undefined) return await this.takeTotp(tx, userId, factor, shown.totp);
    if (shown.recoveryCode === undefined) return false;
    return await takeRecoveryCode(tx, userId, this.recoveryHash(userId, plainRecoveryCode(shown.recoveryCode)));
  }

  async remove(tx: Tx, userId: string): Promise<void> {
    await deleteSecondFactor(tx, userId);
  }

  private async takeTotp(tx: Tx, userId: string, factor: StoredFactor, totp: string): Promise<boolean> {
    const secret = unseal(factor.secretSealed, this.keys.sealing, placeOf(userId));
    const step = stepOf(secret, totp, new Date());
    return step !== undefined && (await takeStep(tx, userId, step));
  }

  private recoveryHash(userId: string, code: string): Buffer {
    return this.keys.codeHash(userId, 'recovery', code);
  }
}

const isConfirmed = (factor: StoredFactor | undefined): boolean => factor !== undefined && factor.confirmedAt !== null;
const placeOf = (userId: string): string => `totp:${userId}`;
