import { Injectable } from '@nestjs/common';
import type { ServicePosting } from '@payflow/contracts';
import { LRUCache } from 'lru-cache';

const ACCOUNTS_MAX = 200_000;

/**
 * Accounts that the ledger is known to have: it is told to open the others with their first posting. Accounts are never
 * deleted, so what was seen once is true for ever; what was forgotten is named once more.
 */
@Injectable()
export class KnownAccounts {
  private readonly known = new LRUCache<string, true>({ max: ACCOUNTS_MAX });

  /** What a posting between these accounts says of those that may be missing. None of them falls below zero. */
  toOpen(codes: readonly string[], currency: string): NonNullable<ServicePosting['accounts']> {
    return [...new Set(codes)]
      .filter((code) => !this.known.has(nameOf(code, currency)))
      .map((code) => ({ code, currency, floor: 0 }));
  }

  posted(codes: readonly string[], currency: string): void {
    for (const code of codes) this.known.set(nameOf(code, currency), true);
  }
}

const nameOf = (code: string, currency: string): string => `${code} ${currency}`;
