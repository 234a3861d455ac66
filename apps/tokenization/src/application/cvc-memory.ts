import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

const ENTRIES_MAX = 10_000;
const LIFETIME_MS = 15 * 60 * 1000;
/** From the answer of one acquirer to the request to the next, with room for a slow one. */
const LIFETIME_AFTER_ANSWER_MS = 60_000;

/**
 * The CVC between tokenization and the answered authorization, in this process's memory and nowhere else (PCI DSS 3.3.1:
 * never kept after authorization). Where a refusal would be followed by a request to another acquirer, the authorization
 * is not over with the answer; the vault does not understand answers, so it keeps the CVC for a minute more. After a restart, or on another instance, it is not there and the
 * authorization goes without it.
 */
@Injectable()
export class CvcMemory {
  private readonly entries = new LRUCache<string, Buffer>({
    max: ENTRIES_MAX,
    ttl: LIFETIME_MS,
    ttlAutopurge: true,
    dispose: (bytes) => {
      bytes.fill(0);
    },
  });

  remember(tokenId: string, cvc: string): void {
    this.entries.set(tokenId, Buffer.from(cvc, 'latin1'));
  }

  recall(tokenId: string): string | undefined {
    return this.entries.get(tokenId)?.toString('latin1');
  }

  /** For the acquirer that may be asked next. */
  keepBriefly(tokenId: string): void {
    const cvc = this.entries.get(tokenId);
    // A copy: the memory erases what it replaces.
    if (cvc && this.entries.getRemainingTTL(tokenId) > LIFETIME_AFTER_ANSWER_MS)
      this.entries.set(tokenId, Buffer.from(cvc), { ttl: LIFETIME_AFTER_ANSWER_MS });
  }

  forget(tokenId: string): void {
    this.entries.delete(tokenId);
  }
}
