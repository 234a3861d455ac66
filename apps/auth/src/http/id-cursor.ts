import { Problem } from '@payflow/service';

/** A cursor is the last item's id, opaque to the caller: ids sort by time. */
export const cursorOf = (id: string): string => Buffer.from(id).toString('base64url');

/** @throws Problem validation_failed when it is no cursor of this list */
export const idOfCursor = (cursor: string | undefined, shape: RegExp): string | undefined => {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (shape.test(id)) return id;
  throw new Problem('validation_failed', {
    errors: [{ pointer: '?cursor', code: 'invalid_format', message: 'is not a cursor of this list' }],
  });
};

/** A page from one item more than it shows: that one tells whether there is a next page. */
export const pageOf = <Item, View>(
  items: readonly Item[],
  limit: number,
  idOf: (item: Item) => string,
  view: (item: Item) => View,
): { data: View[]; nextCursor: string | null } => {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    nextCursor: items.length > limit && last !== undefined ? cursorOf(idOf(last)) : null,
  };
};
