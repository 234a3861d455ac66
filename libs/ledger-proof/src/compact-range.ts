import { EMPTY_ROOT, nodeHash } from './hashing.js';

/** A perfect subtree: `level` above the leaves, the `index`-th of its level from the left. It covers 2^level leaves. */
export interface NodeAddress {
  readonly level: number;
  readonly index: number;
}

/** The leaves of a perfect subtree, from the first to the one behind the last. */
export const rangeOf = ({ level, index }: NodeAddress): { readonly begin: number; readonly end: number } => ({
  begin: index * 2 ** level,
  end: (index + 1) * 2 ** level,
});

/** The perfect subtrees that a tree of this size consists of, from the left: one for each bit of the size. */
export const peaksOf = (size: number): readonly NodeAddress[] => {
  const peaks: NodeAddress[] = [];
  let begin = 0;
  for (let level = Math.floor(Math.log2(Math.max(size, 1))) + 1; level >= 0; level -= 1) {
    const leaves = 2 ** level;
    if (size - begin < leaves) continue;
    peaks.push({ level, index: begin / leaves });
    begin += leaves;
  }
  return peaks;
};

/**
 * A tree as far as one who only appends to it must know it: the hashes of its peaks, at most one for each bit of its size. Memory
 * stays flat however many leaves there are.
 */
export class CompactRange {
  private leaves: number;
  private readonly peaks: Buffer[];

  /** @param peaks hashes of {@link peaksOf}(size) */
  constructor(size = 0, peaks: readonly Buffer[] = []) {
    if (peaks.length !== peaksOf(size).length) throw new Error('invariant: there is a hash for each peak');
    this.leaves = size;
    this.peaks = [...peaks];
  }

  get size(): number {
    return this.leaves;
  }

  /** Adds a leaf, and tells of each perfect subtree that it completes, the leaf itself first. */
  append(leaf: Buffer, onNode?: (address: NodeAddress, hash: Buffer) => void): void {
    let level = 0;
    let index = this.leaves;
    let hash = leaf;
    onNode?.({ level, index }, hash);
    while (index % 2 === 1) {
      const left = this.peaks.pop();
      if (left === undefined) throw new Error('invariant: an odd node has one to its left');
      hash = nodeHash(left, hash);
      level += 1;
      index = (index - 1) / 2;
      onNode?.({ level, index }, hash);
    }
    this.peaks.push(hash);
    this.leaves += 1;
  }

  root(): Buffer {
    return (
      this.peaks.reduceRight<Buffer | undefined>(
        (right, left) => (right === undefined ? left : nodeHash(left, right)),
        undefined,
      ) ?? EMPTY_ROOT
    );
  }
}
