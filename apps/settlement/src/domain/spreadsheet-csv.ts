/**
 * A cell of a CSV file that somebody will open in a spreadsheet: quoted by RFC 4180, and what would be taken for a formula is
 * made text by an apostrophe (OWASP, CSV injection). Numbers stay numbers.
 */
export const csvCell = (value: string | number | null): string => {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) || harmless !== value ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

export const csvLine = (cells: readonly (string | number | null)[]): string => `${cells.map(csvCell).join(',')}\r\n`;
