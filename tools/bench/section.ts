import type { DemoFile } from '../stack/state.ts';
import type { LoadPlan, LoadResult } from './load.ts';

/*
 * Words of the benchmark:
 *
 * section    what `--section` names: some rows about one part of the product, in a file of its own.
 * row        one line of the table: one kind of load, measured once.
 * baseline   what the same machine does in the same run without us: its Postgres with nothing in front of it, or a bare
 *            HTTP receiver; a row's ratio is its rate by that.
 * violation  something that a fast and wrong product would do. One of them fails the benchmark.
 */

/** What a section is given to measure with. */
export interface Bench {
  /** The running stack: addresses of gateway and services, process ids, the superuser's database address, logins. */
  readonly stack: DemoFile;
  /** How long one row is measured. */
  readonly seconds: number;
  /** How much there is before anything is measured (accounts, payments): 1, or less where only the harness is tested. */
  readonly scale: number;
  /** Runs a load from a process of its own, after a warm-up that is not counted. */
  readonly load: (plan: Omit<LoadPlan, 'seconds' | 'warmUpSeconds'>) => Promise<LoadResult>;
  /** A line for the person who waits. */
  readonly progress: (line: string) => void;
}

export interface Row {
  /** `one transfer a request, 64 clients` */
  readonly what: string;
  /** What is counted: transfers, payments, requests … */
  readonly unit: string;
  /** Units that succeeded a second. */
  readonly perSecond: number;
  /** Absent where one thing is done as a whole: there are no requests to tell apart. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Absent where nothing alike can be done without us. */
  readonly baseline?: { readonly what: string; readonly perSecond: number };
  /** Of one core, used by the client of this row. Absent where the client only waits. */
  readonly clientCpuShare?: number;
  /** Answers that were no success, by what they were (`429`, `503 overloaded` …). Absent: none. */
  readonly others?: Readonly<Record<string, number>>;
  /** Anything else worth a word in the table. */
  readonly note?: string;
}

export interface SectionResult {
  readonly rows: readonly Row[];
  /** Each a sentence that names what is wrong, with ids. Empty: what was measured was also right. */
  readonly violations: readonly string[];
}

export interface Section {
  /** For `--section`. */
  readonly name: string;
  /** Heading of its table. */
  readonly title: string;
  /** One sentence for the help. */
  readonly about: string;
  readonly run: (bench: Bench) => Promise<SectionResult>;
}
