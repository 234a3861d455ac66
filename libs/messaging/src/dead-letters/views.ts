import type {
  DeadLetterActionView,
  DeadLetterGroup,
  DeadLetterJobView,
  DeadLetterResponse,
  DryRunOfMany,
  ParkedMessages,
} from '@payflow/contracts';

import type { ParkedCount } from '../inbox/parked-sql.js';
import type { JobRow } from './dead-letter-job-sql.js';
import type { ActionRow, GroupRow } from './dead-letter-set-sql.js';
import type { StoredDeadLetter } from './dead-letter-sql.js';
import type { DryRunOfSome } from './dead-letters.js';
import { maskedBody, maskedText } from './masked-body.js';

/** Why it failed may quote what it failed with. */
const shown = (reason: string): string => maskedText(reason);

export const letterView = (service: string, letter: StoredDeadLetter): DeadLetterResponse => ({
  deadLetterId: letter.deadLetterId,
  group: letter.groupId,
  service,
  consumer: letter.consumer,
  status: letter.status,
  eventId: letter.eventId,
  aggregateId: letter.aggregateId,
  topic: letter.raw.topic,
  partition: letter.raw.partition,
  offset: String(letter.raw.offset),
  reason: shown(letter.reason),
  errorLine: shown(letter.errorLine),
  attempts: letter.attempts,
  firstFailedAt: letter.firstFailedAt.toISOString(),
  lastFailedAt: letter.lastFailedAt.toISOString(),
  body: maskedBody(letter.raw.value),
});

export const groupView = (service: string, row: GroupRow): DeadLetterGroup => ({
  group: row.group_id,
  service,
  consumer: row.consumer,
  topic: row.topic,
  reason: shown(row.reason),
  errorLine: shown(row.error_line),
  count: Number(row.count),
  firstFailedAt: row.first_failed_at.toISOString(),
  lastFailedAt: row.last_failed_at.toISOString(),
  newestDeadLetterId: row.newest,
});

export const jobView = (service: string, row: JobRow): DeadLetterJobView => ({
  jobId: row.job_id,
  service,
  action: row.action,
  status: row.status,
  reason: row.reason,
  principalId: row.principal_id,
  ratePerSecond: row.rate_per_second,
  total: row.total,
  handled: row.handled,
  skipped: row.skipped,
  leftOut: row.left_out,
  now: {
    open: Number(row.open),
    replaying: Number(row.replaying),
    replayed: Number(row.replayed),
    discarded: Number(row.discarded),
  },
  createdAt: row.created_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
});

export const actionView = (row: ActionRow): DeadLetterActionView => ({
  actionId: String(row.action_id),
  deadLetterId: row.dead_letter_id,
  jobId: row.job_id,
  action: row.action,
  principalId: row.principal_id,
  reason: row.reason,
  outcome: row.outcome === null ? null : shown(row.outcome),
  at: row.at.toISOString(),
});

export const parkedView = (row: ParkedCount): ParkedMessages['data'][number] => ({
  consumer: row.consumer,
  retrying: Number(row.retrying),
  waiting: Number(row.waiting),
  oldestAt: row.oldest_at.toISOString(),
});

export const dryRunView = ({ open, letters }: DryRunOfSome): DryRunOfMany => {
  const outcomes = new Map<string, DryRunOfMany['outcomes'][number]>();
  for (const { result } of letters) {
    const reason = result.reason === null ? null : shown(result.reason);
    const key = `${String(result.wouldSucceed)} ${reason ?? ''}`;
    outcomes.set(key, { wouldSucceed: result.wouldSucceed, reason, count: (outcomes.get(key)?.count ?? 0) + 1 });
  }
  return {
    open,
    tried: letters.length,
    wouldSucceed: letters.filter(({ result }) => result.wouldSucceed).length,
    outcomes: [...outcomes.values()],
  };
};
