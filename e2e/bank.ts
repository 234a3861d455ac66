import { demo } from './stack.js';

/** A line of the bank's own book. */
export interface BankLine {
  readonly reference: string;
  readonly kind: 'CREDIT' | 'RETURN';
  readonly account: string;
  readonly amount: number;
  readonly currency: string;
}

const bankUrl = (): string => `${demo().services['acquirer-sim'] ?? ''}/banks/sim`;

/** What the bank has in its book of a withdrawal: what it has credited, and what came back. */
export const bankBookOf = async (reference: string): Promise<readonly BankLine[]> => {
  const answer = await fetch(`${bankUrl()}/book?reference=${reference}&limit=1000`);
  if (answer.status !== 200) throw new Error(`no book: ${answer.status}`);
  return ((await answer.json()) as { data: BankLine[] }).data;
};

/** The newest lines of the whole book. */
export const bankBook = async (): Promise<readonly BankLine[]> => {
  const answer = await fetch(`${bankUrl()}/book?limit=1000`);
  return ((await answer.json()) as { data: BankLine[] }).data;
};

/** Has a paid payout come back. */
export const returnPayout = async (reference: string): Promise<void> => {
  const answer = await fetch(`${bankUrl()}/payouts/${reference}/return`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'AC04' }),
  });
  if (answer.status !== 200) throw new Error(`not returned: ${answer.status} ${await answer.text()}`);
};
