/** A JSON Schema, as `z.toJSONSchema` writes it. */
export type Schema = Readonly<Record<string, unknown>>;

export interface BreakingChange {
  /** `payload.paymentMethod.last4` */
  readonly path: string;
  readonly kind:
    | 'field_removed'
    | 'field_may_be_missing'
    | 'field_must_be_there'
    | 'type_changed'
    | 'values_changed'
    | 'constraint_changed';
  readonly from: unknown;
  readonly to: unknown;
}

/** They say something about a field and nothing about its values. */
const WORDS = new Set(['$schema', 'title', 'description', 'examples', 'default', 'deprecated', '$comment']);
/** Looked at by their own rules below. */
const STRUCTURE = new Set(['properties', 'required', 'type', 'items', 'enum', 'const', 'anyOf', 'oneOf', 'allOf']);

/**
 * What of a published event a newer schema breaks. Two readers have to be able to go on: one who knows the published schema
 * and meets a new event, and one who knows the new schema and meets an event that was published long ago and still lies on
 * the topic. So a field that exists stays as it is, in both directions: a looser one surprises the first, a stricter one the
 * second. Only whole fields may come.
 *
 * @returns none: everything that was said of an event holds
 */
export const breakingChanges = (published: Schema, next: Schema, path = ''): readonly BreakingChange[] => {
  const change = (kind: BreakingChange['kind'], from: unknown, to: unknown): BreakingChange => ({
    path,
    kind,
    from,
    to,
  });
  if (!same(typesOf(published), typesOf(next))) return [change('type_changed', typesOf(published), typesOf(next))];
  return [
    ...propertyChanges(published, next, path),
    ...valueChanges(published, next).map(([from, to]) => change('values_changed', from, to)),
    ...constraintNames(published, next)
      .filter((name) => !same(published[name], next[name]))
      .map((name) => change('constraint_changed', { [name]: published[name] }, { [name]: next[name] })),
    ...nestedChanges(published, next, path),
  ];
};

const propertyChanges = (published: Schema, next: Schema, path: string): readonly BreakingChange[] => {
  const [before, after] = [propertiesOf(published), propertiesOf(next)];
  const [requiredBefore, requiredAfter] = [requiredOf(published), requiredOf(next)];
  return Object.entries(before).flatMap(([name, was]): readonly BreakingChange[] => {
    const at = path === '' ? name : `${path}.${name}`;
    const is = after[name];
    if (is === undefined) return [{ path: at, kind: 'field_removed', from: was, to: undefined }];
    const [always, stillAlways] = [requiredBefore.has(name), requiredAfter.has(name)];
    const presence: readonly BreakingChange[] =
      always === stillAlways
        ? []
        : [{ path: at, kind: always ? 'field_may_be_missing' : 'field_must_be_there', from: always, to: stillAlways }];
    return [...presence, ...breakingChanges(was, is, at)];
  });
};

/** The values that are listed one by one, in whatever order. */
const valueChanges = (published: Schema, next: Schema): readonly (readonly [unknown, unknown])[] => {
  const [before, after] = [listedValues(published), listedValues(next)];
  return same(before, after) ? [] : [[before, after]];
};

const listedValues = (schema: Schema): readonly string[] | undefined => {
  if (Array.isArray(schema['enum'])) return sorted(schema['enum'] as readonly unknown[]);
  return 'const' in schema ? sorted([schema['const']]) : undefined;
};

/** What else is said of values: bounds, formats, patterns, and whatever a later version of the library may say. */
const constraintNames = (published: Schema, next: Schema): readonly string[] =>
  [...new Set([...Object.keys(published), ...Object.keys(next)])].filter(
    (name) =>
      !WORDS.has(name) &&
      !STRUCTURE.has(name) &&
      !isSubschema(published[name], next[name]) &&
      // How a format is spelled as a pattern is the library's affair.
      !(name === 'pattern' && published['format'] !== undefined && published['format'] === next['format']),
  );

const nestedChanges = (published: Schema, next: Schema, path: string): readonly BreakingChange[] => {
  const members = (['items', 'additionalProperties', 'propertyNames'] as const).flatMap((name) => {
    const [was, is] = [published[name], next[name]];
    if (isSchema(was) && isSchema(is)) return breakingChanges(was, is, `${path}[${name === 'items' ? '' : name}]`);
    if (name !== 'items' || (was === undefined && is === undefined)) return [];
    return [{ path, kind: 'type_changed', from: was, to: is } as const];
  });
  const choices = (['anyOf', 'oneOf', 'allOf'] as const).flatMap((name) => {
    const [was, is] = [choicesOf(published, name), choicesOf(next, name)];
    if (was.length !== is.length) return [{ path, kind: 'type_changed', from: was, to: is } as const];
    return was.flatMap((choice, index) => breakingChanges(choice, is[index] ?? {}, path));
  });
  return [...members, ...choices];
};

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSubschema = (was: unknown, is: unknown): boolean => isSchema(was) && isSchema(is);

const propertiesOf = (schema: Schema): Readonly<Record<string, Schema>> =>
  (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;

const requiredOf = (schema: Schema): ReadonlySet<string> => new Set((schema['required'] ?? []) as readonly string[]);

const choicesOf = (schema: Schema, name: string): readonly Schema[] => (schema[name] ?? []) as readonly Schema[];

const typesOf = (schema: Schema): readonly string[] | undefined => {
  const { type } = schema;
  if (type === undefined) return undefined;
  return sorted(Array.isArray(type) ? (type as readonly unknown[]) : [type]);
};

const sorted = (values: readonly unknown[]): readonly string[] => values.map((value) => JSON.stringify(value)).sort();

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
