import colors from 'picocolors';

import { printable } from '../cli/printable.ts';
import type { Finding, Invariant } from './invariant.ts';

/** What became of one invariant. */
export interface Verdict {
  readonly number: number;
  readonly title: string;
  readonly holds: boolean;
  /** What was compared, and how many of it. */
  readonly compared: Readonly<Record<string, number>>;
  readonly findingsTotal: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  /** Why it could not be checked at all. */
  readonly error?: string;
  readonly seconds: number;
}

const NUMBER_WIDTH = 2;
const TITLE_WIDTH = 44;

/** For people: one line, and below it what is wrong. What rows hold is theirs who wrote them: no terminal obeys it. */
export const linesOf = (verdict: Verdict): readonly string[] => {
  const mark = verdict.holds ? colors.green('✓') : colors.red('✗');
  const counts = Object.entries(verdict.compared)
    .map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
    .join(', ');
  const head = `${mark} ${headOf(verdict)}  ${colors.dim(`${counts || 'nothing there yet'} · ${verdict.seconds.toFixed(1)} s`)}`;
  const more = verdict.findingsTotal - verdict.findings.length;
  return [
    head,
    ...(verdict.error === undefined ? [] : [`     ${colors.red(`could not be checked: ${printable(verdict.error)}`)}`]),
    ...verdict.findings.map((finding) => `     ${findingText(finding)}`),
    ...(more > 0 ? [`     … and ${more.toLocaleString('en')} more`] : []),
    ...verdict.notes.map((note) => `     ${colors.dim(`· ${printable(note)}`)}`),
  ];
};

const headOf = ({ number, title }: Pick<Invariant, 'number' | 'title'>): string =>
  `${String(number).padStart(NUMBER_WIDTH)}  ${title.padEnd(TITLE_WIDTH)}`;

const findingText = ({ ids, problem }: Finding): string =>
  `${Object.entries(ids)
    .map(([name, id]) => `${colors.dim(name)} ${printable(id)}`)
    .join(' ')}: ${printable(problem)}`;
