export interface Page<Item> {
  readonly data: Item[];
  readonly nextCursor: string | null;
}

/** A page from one row more than it shows: that one tells whether there is a next page. Ids sort by time, so the last is the cursor. */
export const pageOf = <Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => Item,
): Page<Item> => {
  const shown = rows.slice(0, limit);
  return { data: shown.map(view), nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
};
