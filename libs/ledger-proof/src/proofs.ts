import { type NodeAddress, peaksOf } from './compact-range.js';
import { EMPTY_ROOT, nodeHash } from './hashing.js';

/** The hash of a perfect subtree, from wherever it is kept. */
export type HashOf = (address: NodeAddress) => Buffer;

/** The Merkle tree hash of the first `size` leaves. */
export const rootOf = (hashOf: HashOf, size: number): Buffer => hashOfRange(hashOf, 0, size);

/** RFC 6962 §2.1.1, PATH(index, D[0:size]): what is needed, with the leaf, to come to the root; from the leaf upwards. */
export const inclusionProof = (hashOf: HashOf, index: number, size: number): readonly Buffer[] => {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new Error('invariant: the leaf is in the tree');
  const path = (begin: number, end: number): Buffer[] => {
    if (end - begin === 1) return [];
    const middle = begin + leftLeaves(end - begin);
    return index < middle
      ? [...path(begin, middle), hashOfRange(hashOf, middle, end)]
      : [...path(middle, end), hashOfRange(hashOf, begin, middle)];
  };
  return path(0, size);
};

/** RFC 6962 §2.1.2, PROOF(from, D[0:to]): that the tree of `to` leaves begins with the tree of `from` leaves. */
export const consistencyProof = (hashOf: HashOf, from: number, to: number): readonly Buffer[] => {
  if (!Number.isSafeInteger(from) || from < 1 || from > to) throw new Error('invariant: the smaller tree is the first');
  const subproof = (begin: number, end: number, isWholeFirst: boolean): Buffer[] => {
    if (end === from) return isWholeFirst ? [] : [hashOfRange(hashOf, begin, end)];
    const middle = begin + leftLeaves(end - begin);
    return from <= middle
      ? [...subproof(begin, middle, isWholeFirst), hashOfRange(hashOf, middle, end)]
      : [...subproof(middle, end, false), hashOfRange(hashOf, begin, middle)];
  };
  return subproof(0, to, true);
};

/** Which nodes something asks for: so that they can be fetched together before it is asked again. */
export const nodesAskedFor = (work: (hashOf: HashOf) => unknown): readonly NodeAddress[] => {
  const asked: NodeAddress[] = [];
  work((address) => {
    asked.push(address);
    return EMPTY_ROOT;
  });
  return asked;
};

/** Begins at a multiple of the power of two that is not below its length: the RFC cuts no others. */
const hashOfRange = (hashOf: HashOf, begin: number, end: number): Buffer => {
  const hashes = peaksOf(end - begin).map(({ level, index }) => hashOf({ level, index: begin / 2 ** level + index }));
  return (
    hashes.reduceRight<Buffer | undefined>(
      (right, left) => (right === undefined ? left : nodeHash(left, right)),
      undefined,
    ) ?? EMPTY_ROOT
  );
};

/** The largest power of two below the number of leaves: what the left half of a tree has. */
const leftLeaves = (leaves: number): number => {
  let left = 1;
  while (left * 2 < leaves) left *= 2;
  return left;
};
