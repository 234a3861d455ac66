import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

const ENTRIES_MAX = 10_000;
const LIFETIME_MS = 15 * 60 * 1000;

/**
 * The CVC between tokenization and the first answered authorization, in this process's memory and nowhere else
 * (PCI DSS 3.3.1: never kept after authorization). After a restart, or on another instance, it is not there and the
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

  forget(tokenId: string): void {
    this.entries.delete(tokenId);
  }
}
