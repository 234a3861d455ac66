import { XMLParser } from 'fast-xml-parser';

/** An element as the parser has it, with `preserveOrder`. */
interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Node[];
  readonly text: string;
}

type Ordered = Readonly<Record<string, unknown>>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  ignoreDeclaration: true,
});

const nodeOf = (ordered: Ordered): Node => {
  const name = Object.keys(ordered).find((key) => key !== ':@') ?? '';
  const inner = ordered[name] as readonly Ordered[];
  return {
    name,
    attributes: (ordered[':@'] ?? {}) as Record<string, string>,
    children: inner.filter((child) => !('#text' in child)).map(nodeOf),
    text: inner.flatMap((child) => ('#text' in child ? [String(child['#text'])] : [])).join(''),
  };
};

const rootOf = (xml: string): Node => {
  const [root] = (parser.parse(xml) as readonly Ordered[]).map(nodeOf);
  if (root === undefined) throw new Error('the document is empty');
  return root;
};

/**
 * Holds a document against a schema, as far as these schemas go: sequences and choices of elements with their numbers, simple
 * types with their facets, simple content with attributes.
 *
 * @returns what is wrong, with its path; nothing when the document is valid
 */
export const faultsAgainst = (schemaXml: string, documentXml: string): readonly string[] => {
  const schema = rootOf(schemaXml);
  const types = new Map(
    schema.children
      .filter(({ name }) => name === 'xs:complexType' || name === 'xs:simpleType')
      .map((type) => [type.attributes['name'] ?? '', type]),
  );
  const root = schema.children.find(({ name }) => name === 'xs:element');
  const document = rootOf(documentXml);
  if (root?.attributes['name'] !== document.name) return [`${document.name}: is not the root`];
  if (document.attributes['xmlns'] !== schema.attributes['targetNamespace']) return ['xmlns: is another namespace'];
  return elementFaults({ ...document, attributes: {} }, root.attributes['type'] ?? '', document.name, types);
};

const elementFaults = (
  element: Node,
  typeName: string,
  path: string,
  types: ReadonlyMap<string, Node>,
): readonly string[] => {
  const type = types.get(typeName);
  if (type === undefined) throw new Error(`the schema has no ${typeName}`);
  if (type.name === 'xs:simpleType') return [...unexpected(element, [], path), ...textFaults(element.text, type, path)];
  const [content] = type.children;
  if (content?.name === 'xs:simpleContent') return contentFaults(element, content, path, types);
  if (element.text !== '') return [`${path}: has text between its elements`];
  const particles = content?.children ?? [];
  return content?.name === 'xs:choice'
    ? choiceFaults(element, particles, path, types)
    : sequenceFaults(element, particles, path, types);
};

const unexpected = (element: Node, allowed: readonly string[], path: string): readonly string[] => [
  ...element.children.map(({ name }) => `${path}/${name}: is not expected`),
  ...Object.keys(element.attributes).flatMap((name) =>
    allowed.includes(name) ? [] : [`${path}@${name}: is not expected`],
  ),
];

const contentFaults = (
  element: Node,
  content: Node,
  path: string,
  types: ReadonlyMap<string, Node>,
): readonly string[] => {
  const [extension] = content.children;
  const base = types.get(extension?.attributes['base'] ?? '');
  if (extension === undefined || base === undefined) throw new Error(`the schema extends nothing at ${path}`);
  const attributes = extension.children.map(({ attributes: own }) => own);
  return [
    ...unexpected(
      element,
      attributes.map(({ name }) => name ?? ''),
      path,
    ),
    ...textFaults(element.text, base, path),
    ...attributes.flatMap(({ name = '', type = '', use }) => {
      const value = element.attributes[name];
      if (value === undefined) return use === 'required' ? [`${path}@${name}: is missing`] : [];
      const simple = types.get(type);
      return simple === undefined ? [`${path}@${name}: has no type`] : textFaults(value, simple, `${path}@${name}`);
    }),
  ];
};

const sequenceFaults = (
  element: Node,
  particles: readonly Node[],
  path: string,
  types: ReadonlyMap<string, Node>,
): readonly string[] => {
  const left = [...element.children];
  const faults: string[] = [];
  for (const { attributes } of particles) {
    const { name = '', type = '', minOccurs = '1', maxOccurs = '1' } = attributes;
    const most = maxOccurs === 'unbounded' ? Infinity : Number(maxOccurs);
    let found = 0;
    while (left[0]?.name === name && found < most) {
      const [next] = left.splice(0, 1);
      found += 1;
      if (next !== undefined) faults.push(...elementFaults(next, type, `${path}/${name}`, types));
    }
    if (found < Number(minOccurs)) faults.push(`${path}/${name}: is missing`);
  }
  return [...faults, ...left.map(({ name }) => `${path}/${name}: is not expected here`)];
};

const choiceFaults = (
  element: Node,
  particles: readonly Node[],
  path: string,
  types: ReadonlyMap<string, Node>,
): readonly string[] => {
  const [only, ...more] = element.children;
  const chosen = particles.find(({ attributes }) => attributes['name'] === only?.name);
  if (only === undefined || chosen === undefined || more.length > 0) return [`${path}: is not one of its choices`];
  return elementFaults(only, chosen.attributes['type'] ?? '', `${path}/${only.name}`, types);
};

const BASES: Readonly<Record<string, RegExp>> = {
  'xs:string': /^[^]*$/,
  'xs:boolean': /^(?:true|false|0|1)$/,
  'xs:decimal': /^[+-]?\d+(?:\.\d+)?$/,
  'xs:date': /^\d{4}-\d{2}-\d{2}(?:Z|[+-]\d{2}:\d{2})?$/,
  'xs:dateTime': /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?$/,
};

const textFaults = (text: string, type: Node, path: string): readonly string[] => {
  const [restriction] = type.children;
  const base = BASES[restriction?.attributes['base'] ?? ''];
  if (restriction === undefined || base === undefined) throw new Error(`the schema restricts nothing at ${path}`);
  if (!base.test(text)) return [`${path}: is no ${String(restriction.attributes['base'])}`];
  const values = restriction.children.filter(({ name }) => name === 'xs:enumeration');
  const faults = restriction.children.flatMap(({ name, attributes }) =>
    fits(name, attributes['value'] ?? '', text) ? [] : [`${path}: breaks ${name} ${String(attributes['value'])}`],
  );
  const listed = values.length === 0 || values.some(({ attributes }) => attributes['value'] === text);
  return listed ? faults : [...faults, `${path}: is none of its values`];
};

const fits = (facet: string, value: string, text: string): boolean => {
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
  switch (facet) {
    case 'xs:minLength':
      return Array.from(text).length >= Number(value);
    case 'xs:maxLength':
      return Array.from(text).length <= Number(value);
    case 'xs:pattern':
      return new RegExp(`^(?:${value})$`).test(text);
    case 'xs:fractionDigits':
      return fraction.length <= Number(value);
    case 'xs:totalDigits':
      return whole.replace(/^0+/, '').length + fraction.length <= Number(value);
    case 'xs:minInclusive':
      return Number(text) >= Number(value);
    case 'xs:enumeration':
      return true;
    default:
      throw new Error(`the facet ${facet} is not known here`);
  }
};
