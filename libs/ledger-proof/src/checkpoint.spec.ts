import { describe, expect, it } from '@jest/globals';

import { openCheckpoint, signCheckpoint } from './checkpoint.js';
import { EMPTY_ROOT, leafHash } from './hashing.js';
import { NoteError, noteKeyOf, openNote, parseVerifierKey, signNote } from './signed-note.js';

/** The example of Go's golang.org/x/mod/sumdb/note: key, text and the note that it prints. Ed25519 signs the same text alike. */
const SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const VERIFIER_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const NOTE = `${TEXT}\n${SIGNATURE}`;
const OTHERS_SIGNATURE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

const peter = noteKeyOf('PeterNeumann', SEED);

describe('a signed note', () => {
  it('is the one that Go signs, by the key that Go prints', () => {
    expect(peter.verifierKey).toBe(VERIFIER_KEY);
    expect(signNote(TEXT, peter)).toBe(NOTE);
  });

  it('is opened by the key of any of its signers', () => {
    expect(openNote(NOTE, parseVerifierKey(VERIFIER_KEY))).toBe(TEXT);
    expect(openNote(`${TEXT}\n${OTHERS_SIGNATURE}${SIGNATURE}`, parseVerifierKey(VERIFIER_KEY))).toBe(TEXT);
  });

  it.each([
    ['whose text was changed', NOTE.replace('answer', 'Answer')],
    ['whose signature was changed', NOTE.replace('x08go/ZJ', 'x08go/ZK')],
    ['that only somebody else has signed', `${TEXT}\n${OTHERS_SIGNATURE}`],
    ['without a signature', TEXT],
    ['whose signature is cut short', NOTE.replace('wJnAM=', '')],
    ['with something else below its text', `${NOTE}and more\n`],
    ['without its last line’s end', NOTE.slice(0, -1)],
  ])('is refused when it is one %s', (_what, note) => {
    expect(() => openNote(note, parseVerifierKey(VERIFIER_KEY))).toThrow(NoteError);
  });

  it.each(['', 'PeterNeumann', VERIFIER_KEY.replace('Peter', 'Pater'), VERIFIER_KEY.replace('c74f', 'c74e')])(
    'is opened by no key like "%s"',
    (key) => {
      expect(() => parseVerifierKey(key)).toThrow(NoteError);
    },
  );
});

describe('a checkpoint', () => {
  const key = noteKeyOf('payflow.example/ledger', Buffer.alloc(32, 7));
  const verifier = parseVerifierKey(key.verifierKey);
  const root = leafHash(Buffer.from('a leaf'));

  it('says origin, size and root, in three lines', () => {
    const note = signCheckpoint({ size: 12, root }, key);
    expect(note.split('\n').slice(0, 4)).toEqual(['payflow.example/ledger', '12', root.toString('base64'), '']);
    expect(openCheckpoint(note, verifier)).toEqual({ origin: 'payflow.example/ledger', size: 12, root });
    expect(openCheckpoint(signCheckpoint({ size: 0, root: EMPTY_ROOT }, key), verifier).size).toBe(0);
  });

  it.each([
    ['another log’s', `other.example/ledger\n12\n${root.toString('base64')}\n`],
    ['one whose size is no number', `payflow.example/ledger\n012\n${root.toString('base64')}\n`],
    ['one whose root is cut short', 'payflow.example/ledger\n12\nAAAA\n'],
    ['one without a root', 'payflow.example/ledger\n12\n'],
  ])('is refused when it is %s, though it is signed', (_what, text) => {
    expect(() => openCheckpoint(signNote(text, key), verifier)).toThrow(NoteError);
  });
});
