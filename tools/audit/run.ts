import { holdsCardNumber, withoutDigitRuns } from './card-search.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { Verdict } from './report.ts';
import type { Connections, Sources } from './sources.ts';

/** How many findings of an invariant are shown; the others are counted. */
const FINDINGS_SHOWN = 20;

export interface RunOptions {
  readonly graceMs: number;
  readonly clientJournal: string | undefined;
  readonly progress: (sentence: string) => void;
}

/** Checks one invariant to its end. One that cannot be checked does not hold: nobody knows. */
export const verdictOn = async (
  invariant: Invariant,
  connections: Connections,
  { graceMs, clientJournal, progress }: RunOptions,
): Promise<Verdict> => {
  const begun = performance.now();
  const compared: Record<string, number> = {};
  const notes: string[] = [];
  const findings: Finding[] = [];
  let findingsTotal = 0;
  let error: string | undefined;
  const sources: Sources = {
    ...connections,
    graceMs,
    clientJournal,
    compared: (what, count) => {
      compared[what] = (compared[what] ?? 0) + count;
    },
    note: (sentence) => {
      notes.push(sentence);
    },
    progress: (sentence) => {
      progress(`${invariant.number} ${invariant.title}: ${sentence}`);
    },
  };
  try {
    for await (const finding of invariant.check(sources)) {
      findingsTotal += 1;
      if (findings.length < FINDINGS_SHOWN) findings.push(withoutCardNumbers(finding));
    }
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  }
  return {
    number: invariant.number,
    title: invariant.title,
    holds: findingsTotal === 0 && error === undefined,
    compared,
    findingsTotal,
    findings,
    notes,
    ...(error === undefined ? {} : { error }),
    seconds: (performance.now() - begun) / 1_000,
  };
};

/** A detail that quotes a row would carry a card number that stands there into terminals and logs. */
const withoutCardNumbers = (finding: Finding): Finding =>
  holdsCardNumber(JSON.stringify(finding))
    ? {
        problem: withoutDigitRuns(finding.problem),
        ids: Object.fromEntries(Object.entries(finding.ids).map(([name, id]) => [name, withoutDigitRuns(id)])),
      }
    : finding;
