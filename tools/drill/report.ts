import { cpus, totalmem } from 'node:os';

import { passed, type RoundResult } from './rounds.ts';
import { type Findings, linesOf } from './verdict.ts';

/** What became of a crash point: the process died there and came back, or it was never passed in time. */
export interface CrashTry {
  readonly service: string;
  readonly point: string;
  readonly pass: number;
  readonly outcome: 'died' | 'not reached';
}

/** Everything that a drill has to tell. */
export interface DrillResult {
  readonly seed: number;
  readonly command: string;
  readonly commit: string;
  readonly seconds: number;
  readonly operations: Readonly<Record<string, number>>;
  readonly walletOperations: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly silences: number;
  readonly byStatus: ReadonlyMap<number, number>;
  readonly rounds: readonly RoundResult[];
  readonly crashes: readonly CrashTry[];
  /** Crash points for which there was no time. */
  readonly pointsNotTried: readonly string[];
  /** Crash points in the code that no process passed in this drill. */
  readonly pointsNeverMet: readonly string[];
  readonly staleReads: readonly string[];
  /** Faults that were left out, each with the reason. */
  readonly skipped: readonly string[];
  readonly deadLetters: readonly string[];
  readonly audit: { readonly text: string; readonly passed: boolean };
  readonly logs: string;
}

export interface Summary {
  readonly lost: number;
  readonly doubled: number;
  readonly unasked: number;
  readonly apart: number;
  readonly converged: boolean;
  readonly passed: boolean;
}

/** Findings of the last verdict, which sees everything since the beginning; a finding may heal only by converging. */
export const summaryOf = (result: DrillResult): Summary => {
  const total = (kind: keyof Findings): number => new Set(result.rounds.flatMap(({ findings }) => findings[kind])).size;
  const counts = {
    lost: total('lost'),
    doubled: total('doubled'),
    unasked: total('unasked'),
    apart: total('apart'),
  };
  const converged = result.rounds.every(({ convergence }) => convergence.left.length === 0);
  return {
    ...counts,
    converged,
    passed:
      result.rounds.every(passed) &&
      result.staleReads.length === 0 &&
      result.deadLetters.length === 0 &&
      result.audit.passed,
  };
};

const MEBI = 1024 * 1024;

export const reportOf = (result: DrillResult): string => {
  const summary = summaryOf(result);
  return [
    '# Fault drill',
    '',
    `**${summary.passed ? 'Passed' : 'FAILED'}**: ${summary.lost} lost, ${summary.doubled} doubled, ` +
      `${summary.unasked} unasked, ${summary.apart} apart, ${summary.converged ? 'converged after every round' : 'NOT converged'}.`,
    '',
    `- Seed: ${result.seed}; repeat with \`${result.command}\``,
    `- Commit: ${result.commit}`,
    `- Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / MEBI / 1024)} GiB, Node ${process.versions.node}, ${process.platform}`,
    `- Duration: ${result.seconds.toFixed(0)} s, of it under fire: ${fireSeconds(result).toFixed(0)} s`,
    `- Operations: ${countsIn(result.operations)}`,
    `- Wallet operations: ${countsIn(result.walletOperations)}`,
    `- Requests: ${result.requests}, of them without an answer: ${result.silences}; answers by status: ${[
      ...result.byStatus,
    ]
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}`,
    `- Availability under fire (answered, and not by a 5xx): ${(availabilityOf(result) * 100).toFixed(2)} %`,
    `- Reads that showed less than a 2xx had promised: ${result.staleReads.length}`,
    `- Dead letters that are no poison of the drill, or poison that became none: ${result.deadLetters.length}`,
    `- Logs and the clients' journal: ${result.logs}`,
    ...result.skipped.map((reason) => `- Left out: ${reason}`),
    '',
    '## Faults',
    '',
    '| fault | times | seconds to convergence (median, worst) |',
    '|---|---:|---:|',
    ...faultRows(result),
    '',
    '## Rounds',
    '',
    '| round | faults, from – to in seconds | converged after | findings |',
    '|---:|---|---:|---|',
    ...result.rounds.map(roundRow),
    '',
    '## Crash points',
    '',
    `${result.crashes.filter(({ outcome }) => outcome === 'died').length} of ${result.crashes.length} tried died there and came back.`,
    '',
    '| service | point | pass | outcome |',
    '|---|---|---:|---|',
    ...result.crashes.map(
      ({ service, point, pass, outcome }) => `| ${service} | \`${point}\` | ${pass} | ${outcome} |`,
    ),
    '',
    ...(result.pointsNotTried.length === 0
      ? []
      : [`No time was left for: ${result.pointsNotTried.map((name) => `\`${name}\``).join(', ')}.`, '']),
    ...(result.pointsNeverMet.length === 0
      ? ['Every crash point in the code was met.']
      : [`In the code, but met by no process: ${result.pointsNeverMet.map((name) => `\`${name}\``).join(', ')}.`]),
    '',
    '## Audit',
    '',
    result.audit.text,
    '',
    ...findingLines(result),
  ].join('\n');
};

const availabilityOf = ({ requests, byStatus }: DrillResult): number => {
  const good = [...byStatus].filter(([status]) => status < 500).reduce((sum, [, count]) => sum + count, 0);
  return requests === 0 ? 1 : good / requests;
};

const countsIn = (counts: Readonly<Record<string, number>>): string => {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const kinds = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  return `${total} (${kinds.join(', ')})`;
};

const fireSeconds = ({ rounds }: DrillResult): number =>
  rounds.reduce((sum, { faults }) => {
    const from = Math.min(...faults.map((fault) => fault.from));
    const to = Math.max(...faults.map((fault) => fault.to));
    return faults.length === 0 ? sum : sum + to - from;
  }, 0);

const faultRows = ({ rounds }: DrillResult): readonly string[] => {
  const seconds = new Map<string, number[]>();
  for (const { faults, convergence } of rounds) {
    for (const { name } of faults) seconds.set(name, [...(seconds.get(name) ?? []), convergence.seconds]);
  }
  return [...seconds]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, all]) => {
      const sorted = [...all].sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
      return `| ${name} | ${all.length} | ${median.toFixed(1)}, ${(sorted.at(-1) ?? 0).toFixed(1)} |`;
    });
};

const roundRow = (round: RoundResult, index: number): string => {
  const faults = round.faults.map(({ name, from, to }) => `${name} ${from.toFixed(0)}–${to.toFixed(0)}`).join('; ');
  const { seconds, left } = round.convergence;
  return `| ${index + 1} | ${faults} | ${left.length === 0 ? `${seconds.toFixed(1)} s` : 'NOT'} | ${passed(round) ? 'none' : 'see below'} |`;
};

const LINES_MAX = 40;

const findingLines = (result: DrillResult): readonly string[] => {
  const lines = result.rounds.flatMap((round, index) => [
    ...linesOf(round.findings),
    ...round.convergence.left.map((text) => `round ${index + 1} did not converge: ${text}`),
    ...round.faults.flatMap(({ name, failure }) => (failure === undefined ? [] : [`${name} failed: ${failure}`])),
  ]);
  const all = [
    ...new Set([
      ...lines,
      ...result.staleReads.map((text) => `stale read: ${text}`),
      ...result.deadLetters.map((text) => `dead letter: ${text}`),
    ]),
  ];
  if (all.length === 0) return [];
  const shown = all.slice(0, LINES_MAX).map((text) => `- ${text.slice(0, 1_000)}`);
  const more = all.length > LINES_MAX ? [`- … and ${all.length - LINES_MAX} more`] : [];
  return ['## Findings', '', ...shown, ...more, ''];
};
