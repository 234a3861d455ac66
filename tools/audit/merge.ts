type Portions<Row> = AsyncIterable<readonly Row[]>;

/**
 * Walks two streams that are sorted by the same unique key (in byte order: `COLLATE "C"`) side by side, and yields what
 * `compare` makes of each key that one or both of them have. Nothing is held but a portion of each. The left stream is
 * opened first: what it shows was read before what the right one shows.
 */
export async function* merged<Left, Right, Result>(
  left: Portions<Left>,
  right: Portions<Right>,
  keys: { readonly left: (row: Left) => string; readonly right: (row: Right) => string },
  compare: (left: Left | undefined, right: Right | undefined) => Result | undefined,
): AsyncGenerator<Result> {
  const lefts = new Cursor(left, keys.left);
  const rights = new Cursor(right, keys.right);
  try {
    await lefts.fill();
    await rights.fill();
    for (;;) {
      if (lefts.isDrained) await lefts.fill();
      if (rights.isDrained) await rights.fill();
      const leftKey = lefts.key;
      const rightKey = rights.key;
      if (leftKey === undefined && rightKey === undefined) return;
      const takeLeft = leftKey !== undefined && (rightKey === undefined || leftKey <= rightKey);
      const takeRight = rightKey !== undefined && (leftKey === undefined || rightKey <= leftKey);
      const result = compare(takeLeft ? lefts.take() : undefined, takeRight ? rights.take() : undefined);
      if (result !== undefined) yield result;
    }
  } finally {
    await lefts.close();
    await rights.close();
  }
}

class Cursor<Row> {
  private readonly portions: AsyncIterator<readonly Row[]>;
  private readonly keyOf: (row: Row) => string;
  private rows: readonly Row[] = [];
  private index = 0;
  private ended = false;

  constructor(stream: Portions<Row>, keyOf: (row: Row) => string) {
    this.portions = stream[Symbol.asyncIterator]();
    this.keyOf = keyOf;
  }

  get isDrained(): boolean {
    return !this.ended && this.index >= this.rows.length;
  }

  get key(): string | undefined {
    const row = this.rows[this.index];
    return row === undefined ? undefined : this.keyOf(row);
  }

  take(): Row | undefined {
    const row = this.rows[this.index];
    this.index += 1;
    return row;
  }

  async fill(): Promise<void> {
    const { done, value } = await this.portions.next();
    this.ended = done === true;
    this.rows = done === true ? [] : value;
    this.index = 0;
  }

  /** A reader that stops early gives the connection back. */
  async close(): Promise<void> {
    await this.portions.return?.();
  }
}
