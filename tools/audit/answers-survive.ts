import { brokenAnswers, type GivenAnswer } from './answers.ts';
import { hasTable } from './broker.ts';
import { brokenJournal } from './client-journal.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { Sources } from './sources.ts';

/**
 * Invariant 5. Every 2xx that is stored under a key names what is there in at least that state, and so does every 2xx in
 * the journal of a client, where one is given.
 *
 * While traffic runs: an answer is committed with its effect, and answers are read before what they name, so no grace is
 * needed. A journal must be complete before the audit begins: it is read as it is.
 */
export const answersSurvive: Invariant = {
  number: 5,
  title: 'What was answered 2xx survives',
  why: 'A merchant ships goods because of an answer. It must stay true, whatever dies.',
  async *check(sources) {
    yield* brokenStoredAnswers(sources);
    if (sources.clientJournal !== undefined) yield* brokenJournal(sources, sources.clientJournal);
  },
};

async function* brokenStoredAnswers(sources: Sources): AsyncGenerator<Finding> {
  for (const database of sources.databases.values()) {
    if (!(await hasTable(database, 'idempotency_keys'))) continue;
    const portions = database.stream<{ scope: string; key: string; body: string }>(
      `SELECT scope, key, body FROM idempotency_keys
        WHERE state = 'done' AND status BETWEEN 200 AND 299 AND body IS NOT NULL AND body <> ''`,
    );
    for await (const rows of portions) {
      sources.compared('stored answers', rows.length);
      const answers = rows.flatMap(({ scope, key, body }): readonly GivenAnswer[] => {
        const parsed: unknown = JSON.parse(body);
        return typeof parsed === 'object' && parsed !== null
          ? [{ ids: { key, scope }, body: parsed as GivenAnswer['body'] }]
          : [];
      });
      yield* await brokenAnswers(sources, answers);
    }
  }
}
