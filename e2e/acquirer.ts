import { demo } from './stack.js';

/** A line of an acquirer's own book. */
export interface BookLine {
  readonly reference: string;
  readonly operation: 'authorize' | 'capture' | 'void' | 'refund';
  readonly outcome: string;
  readonly amount: number;
}

export const ACQUIRERS = ['sim', 'sim2'] as const;

const acquirerUrl = (): string => demo().services['acquirer-sim'] ?? '';

/** What the acquirers have in their books about a payment, read by their operators' route. */
export const bookOf = async (paymentId: string): Promise<readonly BookLine[]> => {
  const lines = await Promise.all(
    ACQUIRERS.map(async (acquirer) => {
      const url = `${acquirerUrl()}/acquirers/${acquirer}/operations?paymentId=${paymentId}&limit=100`;
      const answer = await fetch(url);
      if (answer.status !== 200) throw new Error(`no book: ${answer.status}`);
      return ((await answer.json()) as { data: BookLine[] }).data;
    }),
  );
  return lines.flat();
};

/** How many approved operations of a kind the books have. */
export const approvedIn = (book: readonly BookLine[], operation: BookLine['operation']): number =>
  book.filter((line) => line.operation === operation && line.outcome === 'approved').length;

/** What the payer does on the page of his issuer or his bank. @returns where he is sent on */
export const choose = async (url: string, choice: 'complete' | 'fail'): Promise<string | null> => {
  const shown = await fetch(url);
  if (!(await shown.text()).includes('<form method="post">')) throw new Error('the page asks nothing');
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ choice }), redirect: 'manual' });
  if (answer.status !== 303) throw new Error(`the choice was answered with ${answer.status}`);
  return answer.headers.get('location');
};

/** Has the simulator send webhooks of the past again. */
export const replayWebhooks = async (acquirer: string, body: object): Promise<void> => {
  const answer = await fetch(`${acquirerUrl()}/acquirers/${acquirer}/webhooks/replay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 202) throw new Error(`no replay: ${answer.status} ${await answer.text()}`);
};
