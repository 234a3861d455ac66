import { z } from 'zod';

import { type AggregateKind, deadLetterTopicOf, OWNER_OF, TOPICS } from '../topics.js';
import { EVENT_CATALOGUE } from './catalogue.js';
import { envelopeSchema, type EventDefinition } from './envelope.js';

type Json = Readonly<Record<string, unknown>>;

const KINDS = Object.keys(TOPICS) as readonly AggregateKind[];
const reference = (path: string): Json => ({ $ref: `#/${path.split('/').map(escaped).join('/')}` });
/** RFC 6901. */
const escaped = (part: string): string => part.replaceAll('~', '~0');

/** Every event on every topic as an AsyncAPI 3.0 document, for those who subscribe: what PayFlow sends, and how. */
export const asyncApiDocument = (): Json => ({
  asyncapi: '3.0.0',
  id: 'urn:payflow:events',
  info: {
    title: 'PayFlow events',
    version: '1.0.0',
    description:
      'What happened, on Kafka topics: at least once, in the order of `sequence` for each aggregate. A published version of an ' +
      'event keeps its fields as they are; new ones may appear, and are to be ignored by who does not know them.',
    license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    tags: KINDS.map((kind) => ({ name: kind, description: `Published by the ${OWNER_OF[kind]} service.` })),
  },
  defaultContentType: 'application/json',
  servers: {
    kafka: {
      host: '{broker}',
      protocol: 'kafka',
      description: 'The brokers of the installation: KAFKA_BROKERS.',
      variables: { broker: { default: 'localhost:9092', description: 'host:port' } },
    },
  },
  channels: Object.fromEntries(
    KINDS.flatMap((kind) => [
      ...TOPICS[kind].map((topic) => [topic, channelOf(kind, topic)] as const),
      [deadLetterTopicOf(kind), deadLetterChannelOf(kind)] as const,
    ]),
  ),
  operations: Object.fromEntries(
    KINDS.flatMap((kind) =>
      [...TOPICS[kind], deadLetterTopicOf(kind)].map((topic) => [`send.${topic}`, operationOf(kind, topic)] as const),
    ),
  ),
  components: {
    messages: {
      ...Object.fromEntries(
        [...EVENT_CATALOGUE.values()].map((definition) => [definition.type, messageOf(definition)]),
      ),
      deadLetter: DEAD_LETTER,
    },
    messageTraits: { event: EVENT_TRAIT },
  },
});

const definitionsOn = (topic: string): readonly EventDefinition[] =>
  [...EVENT_CATALOGUE.values()].filter((definition) => definition.topic === topic);

const channelOf = (kind: AggregateKind, topic: string): Json => ({
  address: topic,
  title: topic,
  description: definitionsOn(topic)
    .map(({ summary }) => summary)
    .join(' '),
  tags: [{ name: kind }],
  messages: Object.fromEntries(
    definitionsOn(topic).map(({ type }) => [type, reference(`components/messages/${type}`)] as const),
  ),
  bindings: { kafka: { topic, bindingVersion: '0.5.0' } },
});

const deadLetterChannelOf = (kind: AggregateKind): Json => ({
  address: deadLetterTopicOf(kind),
  title: deadLetterTopicOf(kind),
  description: `Events of kind ${kind} that a consumer within PayFlow could not apply, as they were.`,
  tags: [{ name: kind }],
  messages: { deadLetter: reference('components/messages/deadLetter') },
  bindings: { kafka: { topic: deadLetterTopicOf(kind), bindingVersion: '0.5.0' } },
});

/** From PayFlow's side, as the specification wants it: whoever subscribes receives. */
const operationOf = (kind: AggregateKind, topic: string): Json => ({
  action: 'send',
  channel: reference(`channels/${topic}`),
  title: `Send ${topic}`,
  summary: definitionsOn(topic)[0]?.summary ?? `Set aside an event of kind ${kind}.`,
});

/** The whole message as it lies on the topic: the envelope with this event's payload. */
const messageOf = ({ type, topic, summary, payload }: EventDefinition): Json => ({
  name: type,
  title: topic,
  summary,
  contentType: 'application/json',
  traits: [reference('components/messageTraits/event')],
  payload: schemaOf(envelopeSchema.extend({ type: z.literal(type), payload })),
});

/** AsyncAPI's own schema format is a superset of draft 07. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return rest;
};

const text = (description: string, more: Json = {}): Json => ({ type: 'string', description, ...more });

/** CloudEvents 1.0 in Kafka's binary mode, W3C Trace Context, and our own correlation ids. */
const EVENT_TRAIT: Json = {
  headers: {
    type: 'object',
    required: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_time', 'ce_subject', 'content-type'],
    properties: {
      ce_specversion: text('CloudEvents 1.0.', { const: '1.0' }),
      ce_id: text('The `eventId`.'),
      ce_type: text('The `type`.'),
      ce_source: text('Which service published it.', { examples: ['/payflow/payment'] }),
      ce_time: text('The `occurredAt`.', { format: 'date-time' }),
      ce_subject: text('The `aggregateId`.'),
      'content-type': text('Always JSON.', { const: 'application/json' }),
      traceparent: text('W3C Trace Context.'),
      'correlation-id': text('The `correlationId`, where there is one.'),
      'causation-id': text('The `causationId`, where there is one.'),
    },
  },
  correlationId: { description: 'What all events of one cause share.', location: '$message.header#/correlation-id' },
  bindings: {
    kafka: {
      key: text('The merchant id; the user id, or else the aggregate id, where there is no merchant.'),
      bindingVersion: '0.5.0',
    },
  },
};

const DEAD_LETTER: Json = {
  name: 'deadLetter',
  title: 'A dead letter',
  summary: 'The message as it was, with headers that say where it lay and why it could not be applied.',
  headers: {
    type: 'object',
    required: ['dlq-id', 'dlq-consumer', 'dlq-topic', 'dlq-partition', 'dlq-offset', 'dlq-reason', 'dlq-attempts'],
    properties: {
      'dlq-id': text('`dl_…`: what GET /operations/{service}/dead-letters/{id} shows.'),
      'dlq-consumer': text('Who could not apply it.'),
      'dlq-topic': text('The topic it came on.'),
      'dlq-partition': text('The partition there.'),
      'dlq-offset': text('The offset there.'),
      'dlq-reason': text('Why it was given up.'),
      'dlq-error': text("The first line of the error's stack."),
      'dlq-attempts': text('How often it was tried.'),
      'dlq-first-failed-at': text('When it failed first.', { format: 'date-time' }),
      'dlq-last-failed-at': text('When it failed last.', { format: 'date-time' }),
      'dlq-left-out': text('What of the message was too large for the copy.'),
    },
  },
  payload: { description: 'Whatever came: it may be no JSON.' },
};
