/** How far an aggregate's publications have come. */
export interface Publications {
  readonly lastSequence: number;
  readonly lastByTopic: Readonly<Record<string, number>>;
}

export interface Numbered<Event> {
  readonly event: Event;
  readonly sequence: number;
  readonly previousSequence: number | null;
}

export const NO_PUBLICATIONS: Publications = { lastSequence: 0, lastByTopic: {} };

/**
 * Numbers one aggregate's events on from where it stands: `sequence` over all topics without gaps, `previousSequence`
 * within the event's topic.
 */
export const numberEvents = <Event>(
  before: Publications,
  events: readonly Event[],
  topicOf: (event: Event) => string,
): { readonly numbered: readonly Numbered<Event>[]; readonly after: Publications } => {
  const lastByTopic = new Map(Object.entries(before.lastByTopic));
  const numbered = events.map((event, index) => {
    const sequence = before.lastSequence + index + 1;
    const topic = topicOf(event);
    const previousSequence = lastByTopic.get(topic) ?? null;
    lastByTopic.set(topic, sequence);
    return { event, sequence, previousSequence };
  });
  return {
    numbered,
    after: { lastSequence: before.lastSequence + events.length, lastByTopic: Object.fromEntries(lastByTopic) },
  };
};
