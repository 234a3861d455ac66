import { HASH_BYTES } from './hashing.js';
import { NoteError, type NoteKey, openNote, signNote, type VerifierKey } from './signed-note.js';

/** What a checkpoint says (https://c2sp.org/tlog-checkpoint): this log had, when it was signed, so many leaves under this root. */
export interface Checkpoint {
  /** The log's name, which is its key's name too. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

const SIZE = /^(0|[1-9]\d*)$/;

/** Three lines: origin, size, root in base 64. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${root.toString('base64')}\n`;

export const signCheckpoint = (tree: Omit<Checkpoint, 'origin'>, key: NoteKey): string =>
  signNote(checkpointText({ origin: key.name, ...tree }), key);

/** @throws NoteError when it is no checkpoint of this key's log */
export const openCheckpoint = (note: string, key: VerifierKey): Checkpoint => {
  const [origin = '', size = '', root = '', ...extensions] = openNote(note, key).split('\n');
  const hash = Buffer.from(root, 'base64');
  if (origin !== key.name) throw new NoteError(`a checkpoint of ${origin}, not of ${key.name}`);
  if (!SIZE.test(size) || !Number.isSafeInteger(Number(size)) || hash.length !== HASH_BYTES || extensions.length < 1)
    throw new NoteError('not the text of a checkpoint');
  return { origin, size: Number(size), root: hash };
};
