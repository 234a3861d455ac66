import colors from 'picocolors';

import { printable } from './printable.ts';

/** What a command found out: for scripts as JSON, for people as text. `failed`: it is no error, and yet not well. */
export interface Shown {
  readonly json: unknown;
  readonly text: string;
  readonly failed?: boolean;
}

type Cell = string | number | boolean | null | undefined;

const textOf = (cell: Cell): string => (cell === null || cell === undefined ? '–' : printable(String(cell)));

/** Columns under their headings, as wide as they need to be. */
export const table = (headings: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  if (rows.length === 0) return colors.dim('nothing');
  const cells = rows.map((row) => row.map(textOf));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [colors.dim(line(headings)), ...cells.map(line)].join('\n');
};

/** One fact a line. */
export const facts = (pairs: Readonly<Record<string, Cell>>): string => {
  const named = Object.entries(pairs).map(([name, value]) => [printable(name), value] as const);
  const width = Math.max(...named.map(([name]) => name.length));
  return named.map(([name, value]) => `${colors.dim(name.padEnd(width))}  ${textOf(value)}`).join('\n');
};
