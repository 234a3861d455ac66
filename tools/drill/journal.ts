import { createHash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';

/** What a client sent once and what it heard: a line of the journal. The audit reads these files too. */
export interface JournalLine {
  /** The wish that this try belongs to; repetitions have the same. */
  readonly operationId: string;
  readonly try: number;
  /** The Idempotency-Key, when it was sent with one. */
  readonly key: string | null;
  readonly method: string;
  readonly path: string;
  readonly bodyHash: string | null;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Null: silence. */
  readonly status: number | null;
  readonly body: unknown;
  /** Why nothing was heard: the code of the error. */
  readonly silence?: string;
}

/** Written line by line while it happens, so that a drill that dies leaves what it knew. */
export class Journal {
  readonly file: string;
  lines = 0;
  silences = 0;
  private readonly answers = new Map<number, number>();

  constructor(file: string) {
    this.file = file;
    writeFileSync(file, '');
  }

  add(line: JournalLine): void {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`);
    this.lines += 1;
    if (line.status === null) this.silences += 1;
    else this.answers.set(line.status, (this.answers.get(line.status) ?? 0) + 1);
  }

  /** How many answers there were of each status. */
  byStatus(): ReadonlyMap<number, number> {
    return new Map([...this.answers].sort(([a], [b]) => a - b));
  }
}

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
