import { describe, expect, it } from '@jest/globals';
import { Parser } from '@asyncapi/parser';
import { allTopics, envelopeSchema, EVENT_CATALOGUE } from '@payflow/contracts';

import { asyncApiFile, eventCatalogue } from './event-documents.ts';
import { exampleEventOf } from './event-examples.ts';

const definitions = [...EVENT_CATALOGUE.values()];

describe('the AsyncAPI document', () => {
  it('is one, says the parser of the specification', async () => {
    const { document, diagnostics } = await new Parser().parse(asyncApiFile().content);
    const wrong = diagnostics.filter(({ severity }) => (severity as number) <= 1);
    expect(wrong.map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([]);
    expect(document?.version()).toBe('3.0.0');
    expect(
      document
        ?.channels()
        .all()
        .map((channel) => channel.address()),
    ).toEqual(expect.arrayContaining([...allTopics()]));
  });

  it('would not be one with a message that is not there, says the same parser', async () => {
    const broken = asyncApiFile().content.replace(
      '#/components/messages/payment.captured.v1',
      '#/components/messages/nowhere',
    );
    const { diagnostics } = await new Parser().parse(broken);
    expect(diagnostics.filter(({ severity }) => (severity as number) === 0).length).toBeGreaterThan(0);
  });

  it('has every event on its topic, with its envelope, its headers and its key', async () => {
    const { document } = await new Parser().parse(asyncApiFile().content);
    for (const { topic, type } of definitions) {
      const messages = document?.channels().get(topic)?.messages();
      const message = messages?.all().find((one) => one.name() === type);
      expect([type, message?.payload()?.json()]).toEqual([
        type,
        expect.objectContaining({
          required: expect.arrayContaining(['eventId', 'sequence', 'payload']),
          properties: expect.objectContaining({ type: expect.objectContaining({ const: type }) }),
        }),
      ]);
      expect(message?.headers()?.json()).toMatchObject({ required: expect.arrayContaining(['ce_id', 'ce_type']) });
      expect(message?.bindings().get('kafka')?.json()).toMatchObject({ key: { type: 'string' } });
    }
  });
});

describe('the event catalogue', () => {
  it.each(definitions)('has an example of $type that its schema allows', (definition) => {
    const example = exampleEventOf(definition);
    const { content } = eventCatalogue();
    expect(content).toContain(JSON.stringify(example, null, 2));
    expect(envelopeSchema.parse(example)).toEqual(example);
    expect(definition.payload.safeParse(example['payload']).error?.issues ?? []).toEqual([]);
  });
});
