type Schema = Readonly<Record<string, unknown>>;

const DEPTH_MAX = 8;

/** A value that the schema allows, from its own examples where it has some; of an object what it requires. */
export const exampleOf = (schema: unknown, schemas: Readonly<Record<string, unknown>>, depth = 0): unknown => {
  const resolved = resolve(schema, schemas);
  if (resolved === undefined || depth > DEPTH_MAX) return null;
  const { examples, example, default: preset, enum: words } = resolved;
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  for (const known of [example, resolved['const'], preset]) if (known !== undefined) return known;
  if (Array.isArray(words)) return words[0];
  const choices = choicesOf(resolved);
  if (choices !== undefined) return exampleOf(choices[0], schemas, depth + 1);
  return exampleOfType(resolved, schemas, depth);
};

const resolve = (schema: unknown, schemas: Readonly<Record<string, unknown>>): Schema | undefined => {
  let current = schema;
  while (isSchema(current) && typeof current['$ref'] === 'string')
    current = schemas[current['$ref'].replace('#/components/schemas/', '')];
  return isSchema(current) ? current : undefined;
};

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null;

/** The alternatives, null last: it says the least. */
const choicesOf = (schema: Schema): readonly unknown[] | undefined => {
  const choices = schema['oneOf'] ?? schema['anyOf'] ?? schema['allOf'];
  if (!Array.isArray(choices) || choices.length === 0) return undefined;
  const rank = (choice: unknown): number => (isSchema(choice) && choice['type'] === 'null' ? 1 : 0);
  return [...(choices as unknown[])].sort((a, b) => rank(a) - rank(b));
};

const exampleOfType = (schema: Schema, schemas: Readonly<Record<string, unknown>>, depth: number): unknown => {
  switch (schema['type']) {
    case 'object':
      return exampleOfObject(schema, schemas, depth);
    case 'array':
      return Number(schema['minItems'] ?? 0) > 0 ? [exampleOf(schema['items'], schemas, depth + 1)] : [];
    case 'integer':
    case 'number':
      return Number(schema['minimum'] ?? 1);
    case 'boolean':
      return false;
    case 'string':
      return exampleOfText(schema);
    default:
      return null;
  }
};

const exampleOfObject = (
  schema: Schema,
  schemas: Readonly<Record<string, unknown>>,
  depth: number,
): Readonly<Record<string, unknown>> => {
  const required = (schema['required'] ?? []) as readonly string[];
  const properties = (schema['properties'] ?? {}) as Schema;
  return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name], schemas, depth + 1)]));
};

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T00:00:00.000Z',
  date: '2026-01-01',
  email: 'someone@payflow.example',
  uri: 'https://payflow.example',
};

const exampleOfText = (schema: Schema): string => {
  const known = FORMATS[String(schema['format'])];
  return known ?? 'text'.padEnd(Number(schema['minLength'] ?? 0), 'x');
};
