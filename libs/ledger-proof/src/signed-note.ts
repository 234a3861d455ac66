import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** The text is no signed note, or not signed by the key that is asked for. */
export class NoteError extends Error {
  override readonly name = 'NoteError';
}

/** Who signs notes (https://c2sp.org/signed-note), with Ed25519. */
export interface NoteKey {
  /** The key's name, as it stands in the signature's line. */
  readonly name: string;
  readonly privateKey: KeyObject;
  /** For those who verify: `name+hash+key`, as Go's sumdb/note writes it. */
  readonly verifierKey: string;
}

export interface VerifierKey {
  readonly name: string;
  /** Four bytes by which a signature names its key. */
  readonly id: Buffer;
  readonly publicKey: KeyObject;
}

const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** RFC 8410: the DER that stands before the 32 bytes of an Ed25519 key. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const SIGNATURE_LINE = /^— (\S+) (\S+)$/;
const KEY_NAME = /^[^\s+]+$/;

/** @param seed the 32 bytes of an Ed25519 private key (RFC 8032) */
export const noteKeyOf = (name: string, seed: Buffer): NoteKey => {
  if (!KEY_NAME.test(name)) throw new NoteError('the name of a key has no spaces and no plus');
  if (seed.length !== KEY_BYTES) throw new NoteError(`an Ed25519 key has ${KEY_BYTES} bytes`);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const raw = rawPublicKey(createPublicKey(privateKey));
  const typed = Buffer.concat([Buffer.from([ED25519]), raw]);
  return {
    name,
    privateKey,
    verifierKey: `${name}+${keyIdOf(name, raw).toString('hex')}+${typed.toString('base64')}`,
  };
};

/** @throws NoteError */
export const parseVerifierKey = (text: string): VerifierKey => {
  const [name = '', id = '', ...rest] = text.split('+');
  // Base 64 has a plus of its own.
  const typed = Buffer.from(rest.join('+'), 'base64');
  const raw = typed.subarray(1);
  if (!KEY_NAME.test(name) || typed[0] !== ED25519 || raw.length !== KEY_BYTES)
    throw new NoteError('not a verifier key of Ed25519: name+hash+key');
  const keyId = keyIdOf(name, raw);
  if (keyId.toString('hex') !== id) throw new NoteError('the hash of the verifier key is not its own');
  return {
    name,
    id: keyId,
    publicKey: createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' }),
  };
};

/** The note: the text, an empty line, and the signature's line. */
export const signNote = (text: string, key: NoteKey): string => {
  if (!text.endsWith('\n')) throw new NoteError('the text of a note ends its last line');
  const { id } = parseVerifierKey(key.verifierKey);
  const signature = sign(null, Buffer.from(text), key.privateKey);
  return `${text}\n— ${key.name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
};

/**
 * The text of the note, when this key has signed it. Signatures of others (witnesses) are passed over.
 *
 * @throws NoteError
 */
export const openNote = (note: string, key: VerifierKey): string => {
  // The last empty line: the text may have some of its own.
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw new NoteError('not a signed note');
  const text = note.slice(0, end + 1);
  const signatures = note
    .slice(end + 2, -1)
    .split('\n')
    .map((line) => signatureIn(line));
  for (const { name, bytes } of signatures) {
    if (name !== key.name || !bytes.subarray(0, KEY_ID_BYTES).equals(key.id)) continue;
    if (
      bytes.length !== KEY_ID_BYTES + SIGNATURE_BYTES ||
      !verify(null, Buffer.from(text), key.publicKey, bytes.subarray(KEY_ID_BYTES))
    )
      throw new NoteError(`the signature of ${key.name} does not verify`);
    return text;
  }
  throw new NoteError(`not signed by ${key.name}`);
};

const signatureIn = (line: string): { readonly name: string; readonly bytes: Buffer } => {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined) throw new NoteError('a line below the text is no signature');
  return { name, bytes: Buffer.from(encoded, 'base64') };
};

const keyIdOf = (name: string, raw: Buffer): Buffer =>
  createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([ED25519]))
    .update(raw)
    .digest()
    .subarray(0, KEY_ID_BYTES);

const rawPublicKey = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD.length);
