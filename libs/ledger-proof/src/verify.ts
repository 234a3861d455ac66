import { HASH_BYTES, nodeHash } from './hashing.js';

/** RFC 9162 §2.1.3.2: whether the leaf with this hash is the `index`-th (from 0) of the tree of `size` leaves with this root. */
export const verifyInclusion = (
  claim: { readonly index: number; readonly size: number; readonly leafHash: Buffer; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean => {
  const { index, size, leafHash, root } = claim;
  if (!areSizes(index, size) || index >= size || !areHashes([leafHash, root, ...proof])) return false;
  let place = { node: index, last: size - 1 };
  let hash = leafHash;
  for (const sibling of proof) {
    if (place.last === 0) return false;
    if (isRightOrAlone(place)) {
      hash = nodeHash(sibling, hash);
      if (place.node % 2 === 0) place = upToRight(place);
    } else {
      hash = nodeHash(hash, sibling);
    }
    place = up(place);
  }
  return place.last === 0 && hash.equals(root);
};

/** RFC 9162 §2.1.4.2: whether the tree of `to` leaves with root `toRoot` begins with that of `from` leaves and `fromRoot`. */
export const verifyConsistency = (
  claim: { readonly from: number; readonly to: number; readonly fromRoot: Buffer; readonly toRoot: Buffer },
  proof: readonly Buffer[],
): boolean => {
  const { from, to, fromRoot, toRoot } = claim;
  if (!areSizes(from, to) || from < 1 || from > to || !areHashes([fromRoot, toRoot, ...proof])) return false;
  if (from === to) return proof.length === 0 && fromRoot.equals(toRoot);
  const [first, ...others] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  if (first === undefined || proof.length === 0) return false;
  let place = { node: from - 1, last: to - 1 };
  while (place.node % 2 === 1) place = up(place);
  let fromHash = first;
  let toHash = first;
  for (const sibling of others) {
    if (place.last === 0) return false;
    if (isRightOrAlone(place)) {
      fromHash = nodeHash(sibling, fromHash);
      toHash = nodeHash(sibling, toHash);
      if (place.node % 2 === 0) place = upToRight(place);
    } else {
      toHash = nodeHash(toHash, sibling);
    }
    place = up(place);
  }
  return place.last === 0 && fromHash.equals(fromRoot) && toHash.equals(toRoot);
};

/** A node and the last of its level: `fn` and `sn` of the RFC. */
interface Place {
  readonly node: number;
  readonly last: number;
}

const up = ({ node, last }: Place): Place => ({ node: Math.floor(node / 2), last: Math.floor(last / 2) });

/** A node without a sibling stands for its parent, until it is a right child or the first of its level. */
const upToRight = (place: Place): Place => {
  let at = place;
  while (at.node % 2 === 0 && at.node !== 0) at = up(at);
  return at;
};

const isRightOrAlone = ({ node, last }: Place): boolean => node % 2 === 1 || node === last;

const areSizes = (...sizes: readonly number[]): boolean =>
  sizes.every((size) => Number.isSafeInteger(size) && size >= 0);

const areHashes = (hashes: readonly Buffer[]): boolean => hashes.every((hash) => hash.length === HASH_BYTES);

const isPowerOfTwo = (size: number): boolean => Number.isInteger(Math.log2(size));
