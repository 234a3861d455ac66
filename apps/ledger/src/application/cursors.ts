import { Problem } from '@payflow/service';

import type { EntryPlace } from '../store/journal-reads.js';

/** Cursors are opaque to callers: what they hold may change, they only have to come from us. */
const ENTRY_CURSOR = /^(\d{1,15})-(\d{1,18})-(\d{1,9})$/;
const ACCOUNT_CURSOR = /^(\d{1,18})$/;

export const entryCursor = ({ recordedAt, position, line }: EntryPlace): string =>
  encoded(`${recordedAt.getTime()}-${position}-${line}`);

export const entryPlaceOf = (cursor: string): EntryPlace => {
  const [, time, position, line] = ENTRY_CURSOR.exec(decoded(cursor)) ?? [];
  if (time === undefined || position === undefined || line === undefined) throw unusableCursor();
  const recordedAt = new Date(Number(time));
  if (Number.isNaN(recordedAt.getTime())) throw unusableCursor();
  return { recordedAt, position: BigInt(position), line: Number(line) };
};

export const accountCursor = (seq: bigint): string => encoded(seq.toString());

export const accountSeqOf = (cursor: string): bigint => {
  const seq = ACCOUNT_CURSOR.exec(decoded(cursor))?.[1];
  if (seq === undefined) throw unusableCursor();
  return BigInt(seq);
};

const encoded = (text: string): string => Buffer.from(text).toString('base64url');
const decoded = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

const unusableCursor = (): Problem =>
  new Problem('validation_failed', {
    errors: [{ pointer: '?cursor', code: 'invalid_cursor', message: 'is not a cursor of this list' }],
  });
