import { typeid } from 'typeid-js';

import { until } from './call.ts';
import type { WebhookPosts } from './clients/webhook-post.ts';
import type { LoadResult } from './load.ts';
import { measuredRows } from './report.ts';
import type { Bench, Row, Section } from './section.ts';
import { toldEvent, WebhookMerchant } from './webhook-merchant.ts';
import { WebhookReceivers } from './webhook-receivers.ts';

const MODULE = new URL('./clients/webhook-post.ts', import.meta.url);
/** As many as one call of `recover` owes. */
const EVENTS = 5_000;
const EVENTS_MIN = 50;
const SILENT = 10;
/** As many as the service has under way to one endpoint. */
const CONNECTIONS = 32;
const MS_PER_SECOND = 1_000;
const ARRIVED_WITHIN_MS = 300_000;

/** Webhooks to a receiver that answers at once: alone, and while ten others of the same merchant never answer. */
export const webhooks: Section = {
  name: 'webhooks',
  title: 'Webhooks',
  about: 'deliveries to a healthy receiver, alone and while ten others time out; beside a plain loop of requests to it',
  run: async (bench) => {
    const events = Math.max(EVENTS_MIN, Math.round(EVENTS * bench.scale));
    const receivers = await WebhookReceivers.open(SILENT);
    const { rows, add } = measuredRows(bench);
    const violations: string[] = [];
    try {
      const bare = await bareLoop(bench, receivers);
      const beside = { what: `a loop of requests, ${String(CONNECTIONS)} connections`, perSecond: bare.perSecond };
      for (const silent of [[], receivers.silent]) {
        const what =
          silent.length === 0 ? 'one receiver' : `one receiver, while ${String(silent.length)} others time out`;
        const measured = await delivered(bench, receivers, silent, events);
        add({ what, unit: 'deliveries', baseline: beside, ...measured.row });
        violations.push(...measured.violations.map((sentence) => `${what}: ${sentence}`));
      }
      return { rows, violations };
    } finally {
      await receivers.close();
    }
  },
};

const bareLoop = async (bench: Bench, { healthy }: WebhookReceivers): Promise<LoadResult> => {
  const settings: WebhookPosts = { url: `${healthy}/bare`, body: toldEvent(typeid('mer').toString()).body };
  return await bench.load({ module: MODULE, settings, clients: CONNECTIONS });
};

const delivered = async (
  bench: Bench,
  receivers: WebhookReceivers,
  silent: readonly string[],
  events: number,
): Promise<{
  readonly row: Pick<Row, 'perSecond' | 'p50Ms' | 'p99Ms' | 'note'>;
  readonly violations: readonly string[];
}> => {
  const merchant = await WebhookMerchant.open(bench, events);
  const path = `/${String(silent.length)}-silent`;
  try {
    const healthy = await merchant.endpointAt(receivers.healthy + path);
    // All at once: the first of them gives up after fifteen seconds.
    await Promise.all(silent.map(async (url) => merchant.recover(await merchant.endpointAt(url))));
    await until('The first webhook of each silent receiver', ARRIVED_WITHIN_MS, async () =>
      (await receivers.seen(path)).held >= silent.length * Math.min(CONNECTIONS, events) ? true : undefined,
    );
    await merchant.recover(healthy);
    const seen = await until('The last webhook', ARRIVED_WITHIN_MS, async () => {
      const arrived = await receivers.seen(path);
      return arrived.count >= events ? arrived : undefined;
    });
    await until('The last acceptance', ARRIVED_WITHIN_MS, async () =>
      (await merchant.delivered(healthy)) === events ? true : undefined,
    );
    const { p50Ms, p99Ms } = await merchant.times(healthy);
    const note = `${events.toLocaleString('en')} in ${(seen.tookMs / MS_PER_SECOND).toFixed(1)} s`;
    const hanging = silent.length === 0 ? '' : `; ${String(seen.held)} requests hang at the others`;
    return {
      row: { perSecond: (seen.count * MS_PER_SECOND) / seen.tookMs, p50Ms, p99Ms, note: note + hanging },
      violations: wrongIn(await receivers.ids(path), merchant.eventIds),
    };
  } finally {
    await merchant.close();
  }
};

/** Each event has to arrive, once, and nothing else. */
const wrongIn = (arrived: readonly string[], owed: readonly string[]): readonly string[] => {
  const distinct = new Set(arrived);
  const missing = owed.filter((id) => !distinct.has(id)).length;
  return [
    ...(missing === 0 ? [] : [`${String(missing)} events did not arrive`]),
    ...(arrived.length === owed.length
      ? []
      : [`${String(arrived.length)} webhooks came for ${String(owed.length)} events`]),
  ];
};
