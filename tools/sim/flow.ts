/** Something a flow waits for. It is settled once; who settles it again is late. */
export class Reply<Value> {
  settled = false;
  private value: Value | undefined;
  private listener: ((value: Value) => void) | undefined;

  settle(value: Value): void {
    if (this.settled) return;
    this.settled = true;
    this.value = value;
    this.listener?.(value);
  }

  onSettled(listener: (value: Value) => void): void {
    if (this.settled) listener(this.value as Value);
    else this.listener = listener;
  }
}

/** A flow waits for a time, in milliseconds, or for a reply. */
export type Wait = number | { onSettled(listener: (value: unknown) => void): void };
/** A piece of sequential work of a process. Between two `yield`s nothing else happens, and its process may die at each. */
export type Flow<Result = void> = Generator<Wait, Result, unknown>;

export function* awaiting<Value>(reply: Reply<Value>): Flow<Value> {
  return (yield reply) as Value;
}
