import pg from 'pg';

import { isConnectionFailure } from './errors.js';
import { type ResultShape, shapeOf, statementNameOf } from './statements.js';

/** What a statement left behind. */
export interface StatementAnswer {
  readonly rows: Readonly<Record<string, unknown>>[];
  /** INSERT, SELECT, COMMIT … as the server names what it did. */
  readonly command: string;
  readonly rowCount: number;
}

interface Waiting {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly resolve: (answer: StatementAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Statements that this connection has parsed, by name, with the columns of what they return. */
const preparedOn = new WeakMap<pg.Connection, Map<string, ResultShape>>();

const preparedStatementsOf = (connection: pg.Connection): Map<string, ResultShape> => {
  const known = preparedOn.get(connection);
  if (known !== undefined) return known;
  const fresh = new Map<string, ResultShape>();
  preparedOn.set(connection, fresh);
  return fresh;
};

// The driver's types do not know it; its own queries turn values into text with it.
const { prepareValue } = (pg as unknown as { readonly utils: { readonly prepareValue: (value: unknown) => unknown } })
  .utils;

/**
 * Statements of one connection, sent together as far as nobody waits in between: whatever is asked for before the event loop
 * comes round goes out in one write, with one Sync behind it, and comes back in one answer. A round trip over the loopback
 * costs two processes about 0.1 ms, as much as a small statement itself (docs/performance.md).
 *
 * When a statement fails, those behind it in the same batch are not run: each gets the error of the one that failed.
 */
export class StatementQueue {
  private waiting: Waiting[] = [];
  private ended = false;

  constructor(private readonly client: pg.PoolClient) {}

  async run(text: string, values: readonly unknown[] = []): Promise<StatementAnswer> {
    // Behind the end it would be a transaction of its own: committed although the work it belongs to was rolled back.
    if (this.ended) throw new Error('invariant: a statement came when its transaction has ended');
    const answer = new Promise<StatementAnswer>((resolve, reject) => {
      // Before anything is sent: a value that cannot be written must not leave half a batch on the wire.
      this.waiting.push({ text, values: values.map(prepareValue), resolve, reject });
      if (this.waiting.length === 1) process.nextTick(() => this.send());
    });
    try {
      return await answer;
    } catch (error) {
      // The driver's trace begins at the socket; this one leads to who asked.
      if (error instanceof Error) Error.captureStackTrace(error);
      throw error;
    }
  }

  /** Ends the transaction, behind whatever was sent. In the simple protocol: one message, and nothing to prepare. */
  async end(command: 'COMMIT' | 'ROLLBACK'): Promise<{ readonly command: string }> {
    this.send();
    this.ended = true;
    return await this.client.query(command);
  }

  private send(): void {
    if (this.waiting.length === 0) return;
    const batch = new Batch(this.waiting);
    this.waiting = [];
    this.client.query(batch);
  }
}

interface Description {
  readonly fields: readonly pg.FieldDef[];
}
interface DataRow {
  readonly fields: readonly (string | null)[];
}
interface CommandComplete {
  readonly text: string;
}

/** The driver's contract of a query that brings its own protocol (as pg-cursor does), plus the callback that its time-out needs. */
class Batch implements pg.Submittable {
  /** Called by the driver when its time is over; the rest is told by the handlers below. */
  callback = (error?: Error | null): void => {
    if (error) this.fail(error);
  };
  private readonly answers: StatementAnswer[] = [];
  private rows: Readonly<Record<string, unknown>>[] = [];
  private shape: ResultShape | undefined;
  private prepared = new Map<string, ResultShape>();
  private settled = false;

  constructor(private readonly statements: readonly Waiting[]) {}

  submit(connection: pg.Connection): null {
    this.prepared = preparedStatementsOf(connection);
    const { stream } = connection;
    stream.cork();
    try {
      const parsedHere = new Set<string>();
      for (const { text, values } of this.statements) {
        const name = statementNameOf(text);
        const known = name !== '' && (this.prepared.has(name) || parsedHere.has(name));
        if (!known) {
          // One that failed when it was first run may be there, or may not: closing it is right in both cases.
          if (name !== '') connection.close({ type: 'S', name }, true);
          connection.parse({ name, text, types: [] }, true);
          parsedHere.add(name);
        }
        connection.bind({ statement: name, values: [...values] } as pg.BindConfig, true);
        if (!this.prepared.has(name)) connection.describe({ type: 'P', name: '' }, true);
        connection.execute({ portal: '', rows: '' }, true);
      }
      connection.sync();
    } finally {
      stream.uncork();
    }
    this.expectNext();
    return null;
  }

  handleRowDescription({ fields }: Description): void {
    this.shape = shapeOf(fields);
  }

  handleDataRow({ fields }: DataRow): void {
    if (this.shape === undefined) throw new Error('invariant: a row of a statement that was not described');
    this.rows.push(this.shape.rowOf(fields));
  }

  handleCommandComplete({ text }: CommandComplete): void {
    const statement = this.statements[this.answers.length];
    if (statement !== undefined) this.remember(statement.text);
    const words = text.split(' ');
    this.answers.push({ rows: this.rows, command: words[0] ?? '', rowCount: Number(words.at(-1)) || 0 });
    this.rows = [];
    this.expectNext();
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handleReadyForQuery(): void {
    this.settle();
    this.callback();
  }

  handleError(error: Error): void {
    this.fail(error);
    this.callback(error);
  }

  handleCopyInResponse(connection: pg.Connection): void {
    (connection as unknown as { sendCopyFail(message: string): void }).sendCopyFail('COPY is not used here');
  }

  /** The columns of the next statement, where they are known from an earlier time. */
  private expectNext(): void {
    const next = this.statements[this.answers.length];
    this.shape = next && this.prepared.get(statementNameOf(next.text));
  }

  private remember(text: string): void {
    const name = statementNameOf(text);
    if (name !== '' && !this.prepared.has(name)) this.prepared.set(name, this.shape ?? shapeOf([]));
  }

  /** Only now, with the Sync behind them answered: a statement outside a transaction is committed by it. */
  private settle(): void {
    if (this.settled) return;
    this.settled = true;
    for (const [index, { resolve, reject }] of this.statements.entries()) {
      const answer = this.answers[index];
      if (answer === undefined) reject(new Error('invariant: a statement was not answered'));
      else resolve(answer);
    }
  }

  private fail(error: Error): void {
    if (this.settled) return;
    this.settled = true;
    const connectionBroke = isConnectionFailure(error);
    const failed = this.statements[this.answers.length];
    // Parsed anew next time: what failed may be the plan, as after a change of a column's type.
    if (failed !== undefined) this.prepared.delete(statementNameOf(failed.text));
    for (const [index, { resolve, reject }] of this.statements.entries()) {
      const answer = this.answers[index];
      if (answer === undefined || connectionBroke) reject(error);
      else resolve(answer);
    }
  }
}
