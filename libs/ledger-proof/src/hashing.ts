import { createHash, hash } from 'node:crypto';

export const HASH_BYTES = 32;

/**
 * RFC 6962 §2.1 (RFC 9162 §2.1.1): leaves and inner nodes are hashed behind different prefixes, so that no leaf can be passed off as
 * a node, nor the other way round.
 */
export const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

const LEAF = Buffer.from([LEAF_PREFIX]);

/** Of a tree without leaves: the hash of nothing. */
export const EMPTY_ROOT: Buffer = createHash('sha256').digest();

export const leafHash = (content: Uint8Array): Buffer => createHash('sha256').update(LEAF).update(content).digest();

// One buffer for all: an inner node's text is taken in before anybody else can come.
const both = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);

export const nodeHash = (left: Buffer, right: Buffer): Buffer => {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new Error('invariant: a node is of two hashes');
  left.copy(both, 1);
  right.copy(both, 1 + HASH_BYTES);
  return hash('sha256', both, 'buffer');
};
