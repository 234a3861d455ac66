export { CompactRange, type NodeAddress, peaksOf, rangeOf } from './compact-range.js';
export { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from './hashing.js';
export { consistencyProof, type HashOf, inclusionProof, nodesAskedFor, rootOf } from './proofs.js';
export { verifyConsistency, verifyInclusion } from './verify.js';
export {
  NoteError,
  type NoteKey,
  noteKeyOf,
  parseVerifierKey,
  signNote,
  type VerifierKey,
  openNote,
} from './signed-note.js';
export { type Checkpoint, checkpointText, openCheckpoint, signCheckpoint } from './checkpoint.js';
export {
  decodeTransaction,
  encodeTransaction,
  LeafFormatError,
  type LeafEntry,
  type LeafTransaction,
  transactionLeafHash,
} from './transaction-leaf.js';
