import { Injectable } from '@nestjs/common';
import { type Options, hash, verify } from '@node-rs/argon2';
import { bulkhead, BulkheadRejectedError } from 'cockatiel';

/** OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. Argon2id is the library's default. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const satisfies Options;

/** Each hash holds a thread of libuv's pool (four by default) for some 20 ms: two at most, so that files and DNS go on. */
const RUNNING_MAX = 2;
/** Between one and two seconds of work. Whoever comes then is told to come back, instead of everyone waiting longer. */
const WAITING_MAX = 128;

/** More passwords are being checked than there is room for. */
export class TooManyPasswordsError extends Error {
  override readonly name = 'TooManyPasswordsError';
}

/** Hashes and checks passwords, a few at a time. */
@Injectable()
export class Passwords {
  private readonly room = bulkhead(RUNNING_MAX, WAITING_MAX);
  private readonly nobody: Promise<string> = hash('the password of nobody', PARAMETERS);

  /** @throws TooManyPasswordsError */
  async hash(password: string): Promise<string> {
    return await this.run(async () => await hash(canonical(password), PARAMETERS));
  }

  /**
   * Whether the password is right. An account that does not exist is checked against a hash of the same cost, so that
   * neither the answer nor its time tells whether there is one.
   *
   * @throws TooManyPasswordsError
   */
  async matches(password: string, passwordHash: string | undefined): Promise<boolean> {
    const expected = passwordHash ?? (await this.nobody);
    const right = await this.run(async () => await verify(expected, canonical(password)));
    return right && passwordHash !== undefined;
  }

  private async run<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.room.execute(work);
    } catch (error) {
      if (error instanceof BulkheadRejectedError)
        throw new TooManyPasswordsError('too many passwords are being checked', { cause: error });
      throw error;
    }
  }
}

/** NIST SP 800-63B §3.1.1.2: a password that another keyboard composes differently is the same. */
const canonical = (password: string): string => password.normalize('NFKC');
