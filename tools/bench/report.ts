import type { Bench, Row, Section, SectionResult } from './section.ts';

export interface Measured {
  readonly section: Section;
  readonly result: SectionResult;
}

const rate = (perSecond: number): string => Math.round(perSecond).toLocaleString('en');
const milliseconds = (ms: number): string => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0));
const share = (of: number): string => `${(of * 100).toFixed(0)} %`;
const ifAny = (value: number | undefined, text: (value: number) => string): string =>
  value === undefined ? '' : text(value);

const COLUMNS: readonly { readonly title: string; readonly right: boolean; readonly of: (row: Row) => string }[] = [
  { title: 'load', right: false, of: ({ what }) => what },
  { title: 'rate', right: true, of: ({ perSecond, unit }) => `${rate(perSecond)} ${unit}/s` },
  { title: 'p50 ms', right: true, of: ({ p50Ms }) => ifAny(p50Ms, milliseconds) },
  { title: 'p99 ms', right: true, of: ({ p99Ms }) => ifAny(p99Ms, milliseconds) },
  {
    title: 'without us',
    right: false,
    of: ({ baseline }) => (baseline === undefined ? '' : `${rate(baseline.perSecond)}/s: ${baseline.what}`),
  },
  {
    title: 'ratio',
    right: true,
    of: ({ baseline, perSecond }) => (baseline === undefined ? '' : (perSecond / baseline.perSecond).toFixed(2)),
  },
  { title: "client's CPU", right: true, of: ({ clientCpuShare }) => ifAny(clientCpuShare, share) },
  { title: 'notes', right: false, of: (row) => notesOf(row) },
];

const notesOf = ({ note, others }: Row): string =>
  [
    ...(note === undefined ? [] : [note]),
    ...Object.entries(others ?? {}).map(([outcome, count]) => `${count.toLocaleString('en')} × ${outcome}`),
  ].join('; ');

/** A table in Markdown, aligned as Prettier does, which is also readable in a terminal. */
export const tableOf = (rows: readonly Row[]): string => {
  const columns = COLUMNS.filter(({ of }) => rows.some((row) => of(row) !== ''));
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => of(row)))];
  const widths = columns.map((_, index) => Math.max(3, ...cells.map((line) => line[index]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    `| ${texts
      .map((text, index) =>
        columns[index]?.right === true ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
      )
      .join(' | ')} |`;
  const [head = [], ...body] = cells;
  const rule = columns.map(({ right }, index) => {
    const dashes = '-'.repeat(widths[index] ?? 3);
    return right ? `${dashes.slice(1)}:` : dashes;
  });
  return [line(head), line(rule), ...body.map(line)].join('\n');
};

/** A row for the person who waits. */
export const sentenceOf = (row: Row): string =>
  `${row.what}: ${rate(row.perSecond)} ${row.unit}/s` +
  ifAny(row.p50Ms, (ms) => `, p50 ${milliseconds(ms)} ms`) +
  ifAny(row.p99Ms, (ms) => `, p99 ${milliseconds(ms)} ms`) +
  (row.baseline === undefined ? '' : `; without us ${rate(row.baseline.perSecond)}/s`) +
  (notesOf(row) === '' ? '' : ` (${notesOf(row)})`);

/** The rows of a section, each told to the person who waits as soon as it is measured. */
export const measuredRows = (
  bench: Pick<Bench, 'progress'>,
): { readonly rows: readonly Row[]; readonly add: (row: Row) => void } => {
  const rows: Row[] = [];
  const add = (row: Row): void => {
    bench.progress(sentenceOf(row));
    rows.push(row);
  };
  return { rows, add };
};

/** The page with the tables of the sections that were measured put between their markers. */
export const refreshed = (page: string, measured: readonly Measured[], machine: string, day: string): string =>
  measured.reduce((text, { section, result }) => {
    const [begin, end] = [`<!-- bench:${section.name} -->`, `<!-- /bench:${section.name} -->`];
    const block = `${begin}\n\n${tableOf(result.rows)}\n\n${day}: ${machine}.\n\n${end}`;
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from >= 0 && to > from) return text.slice(0, from) + block + text.slice(to + end.length);
    return `${text.trimEnd()}\n\n## ${section.title}\n\n${block}\n`;
  }, page);
