import {
  aggregateKindOf,
  type EventDefinition,
  envelopeSchema,
  EVENT_CATALOGUE,
  deadLetterTopicOf,
  OWNER_OF,
  TOPICS,
} from '@payflow/contracts';
import { z } from 'zod';

/** A file that is made from the contracts and committed, so that a reviewer sees what changed for subscribers. */
export interface GeneratedFile {
  /** Below the repository's root. */
  readonly path: string;
  readonly content: string;
}

const schemaFileOf = (definition: EventDefinition): string => `docs/events/schemas/${definition.type}.schema.json`;

/** One JSON Schema for each versioned event: the whole message as it lies on the topic. */
export const eventSchemas = (): readonly GeneratedFile[] =>
  [...EVENT_CATALOGUE.values()].map((definition) => {
    const schema = z.toJSONSchema(
      envelopeSchema.extend({ type: z.literal(definition.type), payload: definition.payload }),
      { target: 'draft-2020-12', io: 'input' },
    );
    const document = { ...schema, title: definition.type, description: definition.summary, additionalProperties: true };
    return { path: schemaFileOf(definition), content: `${JSON.stringify(document, null, 2)}\n` };
  });

/** The page that subscribers read. */
export const eventCatalogue = (): GeneratedFile => {
  const rows = [...EVENT_CATALOGUE.values()].map((definition) => {
    const fields = Object.keys((z.toJSONSchema(definition.payload) as { properties?: object }).properties ?? {});
    return `| \`${definition.topic}\` | [\`${definition.type}\`](schemas/${definition.type}.schema.json) | ${definition.summary} | ${fields.map((field) => `\`${field}\``).join(', ')} |`;
  });
  const owners = (Object.keys(TOPICS) as (keyof typeof TOPICS)[]).map(
    (kind) =>
      `| ${kind} | \`${OWNER_OF[kind]}\` | ${TOPICS[kind].map((topic) => `\`${topic}\``).join(', ')} | \`${deadLetterTopicOf(kind)}\` |`,
  );
  const content = `<!-- Made by \`npm run generate\` from libs/contracts. Do not edit. -->

# Event catalogue

How to subscribe, and what is promised: [events](README.md).

| topic | event | when | payload |
| --- | --- | --- | --- |
${rows.join('\n')}

## Topics by kind of aggregate

An aggregate's events are numbered 1, 2, 3 … over all topics of its kind.

| aggregate | owner | topics | dead letters |
| --- | --- | --- | --- |
${owners.join('\n')}
`;
  return { path: 'docs/events/catalogue.md', content };
};

/** Topics of the catalogue that no kind of aggregate claims: a mistake in the contracts. */
export const orphanTopics = (): readonly string[] =>
  [...EVENT_CATALOGUE.values()]
    .map((definition) => definition.topic)
    .filter((topic) => aggregateKindOf(topic) === undefined);
