import pg from 'pg';

/**
 * Statements are prepared once per connection under a name: parsing, analysing and planning cost Postgres more than
 * executing most of ours does. The texts of this process are few; a bound keeps it so should one ever be built from values.
 */
const STATEMENTS_MAX = 500;
const names = new Map<string, string>();

/** The name of a statement by its text, or none when there are too many already: then it is parsed each time. */
export const statementNameOf = (text: string): string => {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= STATEMENTS_MAX) return '';
  const name = `s${names.size + 1}`;
  names.set(text, name);
  return name;
};

const int8AsBigint = new pg.TypeOverrides();
int8AsBigint.setTypeParser(pg.types.builtins.INT8, (text) => BigInt(text));

type TextParser = (text: string) => unknown;

/** How the rows of a statement become objects. */
export interface ResultShape {
  rowOf(values: readonly (string | null)[]): Readonly<Record<string, unknown>>;
}

export const shapeOf = (fields: readonly pg.FieldDef[]): ResultShape => {
  const parsers = fields.map(
    ({ dataTypeID }) => int8AsBigint.getTypeParser(dataTypeID, 'text') as unknown as TextParser,
  );
  const columns = fields.map(({ name }) => name);
  // One hidden class for all rows of a statement.
  const empty: Readonly<Record<string, unknown>> = Object.fromEntries(columns.map((name) => [name, null]));
  return {
    rowOf: (values) => {
      const row: Record<string, unknown> = { ...empty };
      for (const [index, column] of columns.entries()) {
        const value = values[index];
        if (value !== null && value !== undefined) row[column] = parsers[index]?.(value);
      }
      return row;
    },
  };
};
