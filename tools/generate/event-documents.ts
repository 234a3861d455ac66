import {
  aggregateKindOf,
  asyncApiDocument,
  type EventDefinition,
  envelopeSchema,
  EVENT_CATALOGUE,
  deadLetterTopicOf,
  OWNER_OF,
  TOPICS,
} from '@payflow/contracts';
import { z } from 'zod';

import { SUBSCRIPTIONS, topicsOf } from '../audit/subscriptions.ts';
import { exampleEventOf, payloadSchemaOf } from './event-examples.ts';

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

/** The same events as AsyncAPI, as the gateway serves it. */
export const asyncApiFile = (): GeneratedFile => ({
  path: 'docs/asyncapi.json',
  content: `${JSON.stringify(asyncApiDocument(), null, 2)}\n`,
});

/** The page that subscribers read. */
export const eventCatalogue = (): GeneratedFile => {
  const definitions = [...EVENT_CATALOGUE.values()];
  const rows = definitions.map(
    ({ topic, type, summary }) =>
      `| \`${topic}\` | [\`${type}\`](#${anchorOf(type)}) | ${summary} | ${consumersOf(topic).join(', ') || 'nobody within PayFlow'} |`,
  );
  const owners = (Object.keys(TOPICS) as (keyof typeof TOPICS)[]).map(
    (kind) =>
      `| ${kind} | \`${OWNER_OF[kind]}\` | ${TOPICS[kind].map((topic) => `\`${topic}\``).join(', ')} | \`${deadLetterTopicOf(kind)}\` |`,
  );
  const content = `<!-- Made by \`npm run generate\` from libs/contracts. Do not edit. -->

# Event catalogue

How to subscribe, and what is promised: [events](README.md). For tools: [AsyncAPI](../asyncapi.json), which the gateway serves
as \`/asyncapi.json\`, and a [JSON Schema](schemas) for each event.

| topic | event | when | who takes it within PayFlow |
| --- | --- | --- | --- |
${rows.join('\n')}

## Topics by kind of aggregate

An aggregate's events are numbered 1, 2, 3 … over all topics of its kind.

| aggregate | owner | topics | dead letters |
| --- | --- | --- | --- |
${owners.join('\n')}

## Each event

${definitions.map(sectionOf).join('\n')}`;
  return { path: 'docs/events/catalogue.md', content };
};

/** As GitHub makes it of a heading. */
const anchorOf = (type: string): string => type.replaceAll('.', '');

const consumersOf = (topic: string): readonly string[] =>
  SUBSCRIPTIONS.filter((subscription) => (topicsOf(subscription) as readonly string[]).includes(topic)).map(
    ({ consumer }) => `\`${consumer}\``,
  );

interface FieldSchema {
  readonly description?: string;
}

const sectionOf = (definition: EventDefinition): string => {
  const { type, summary } = definition;
  const { properties = {} } = payloadSchemaOf(definition) as { properties?: Readonly<Record<string, FieldSchema>> };
  const described = Object.entries(properties).flatMap(([name, { description }]) =>
    description === undefined ? [] : [`- \`${name}\`: ${description}`],
  );
  return `### ${type}

${summary} [Schema](schemas/${type}.schema.json).

\`\`\`json
${JSON.stringify(exampleEventOf(definition), null, 2)}
\`\`\`
${described.length === 0 ? '' : `\n${described.join('\n')}\n`}`;
};

/** Topics of the catalogue that no kind of aggregate claims: a mistake in the contracts. */
export const orphanTopics = (): readonly string[] =>
  [...EVENT_CATALOGUE.values()]
    .map((definition) => definition.topic)
    .filter((topic) => aggregateKindOf(topic) === undefined);
