import { Problem } from '@payflow/service';

import type { ListPosition } from '../store/conditions.js';

/** A cursor is the place of the last item shown, opaque to the caller. */
export const cursorOf = ({ createdAt, id }: ListPosition): string =>
  Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url');

/** @throws Problem validation_failed when it is no cursor of ours */
export const positionOf = (cursor: string | undefined): ListPosition | undefined => {
  if (cursor === undefined) return undefined;
  const match = /^(\d{1,15})\.([a-z0-9_]{1,40})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (match?.[1] === undefined || match[2] === undefined)
    throw new Problem('validation_failed', {
      errors: [{ pointer: '?cursor', code: 'invalid_format', message: 'is not a cursor of this list' }],
    });
  return { createdAt: new Date(Number(match[1])), id: match[2] };
};

/** A page from one row more than it shows: that one tells whether there is a next page. */
export const pageOf = <Row extends { readonly id: string; readonly created_at: Date }, Item>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => Item,
): { data: Item[]; nextCursor: string | null } => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    nextCursor: rows.length > limit && last ? cursorOf({ createdAt: last.created_at, id: last.id }) : null,
  };
};
