import { majorFromMinor } from '@payflow/kernel';

import type { ChallengeState } from '../application/answer-challenge.js';
import { knownCurrency } from '../application/settle-result.js';

/** The page with the two buttons. It works without scripts, by keyboard and by screen reader. */
export const choicePage = ({ challenge, operation }: ChallengeState): string => {
  const { title, question, yes, no } = WORDS[challenge.kind];
  return page(
    title,
    `<p>${question}</p>
    ${summaryOf({ challenge, operation })}
    <form method="post">
      <button type="submit" name="choice" value="complete">${yes}</button>
      <button type="submit" name="choice" value="fail" class="no">${no}</button>
    </form>
    <p class="note">This is a simulator. No money moves. The page is open until ${challenge.expiresAt.toISOString()}.</p>`,
  );
};

/** The page after the choice, and after the time. */
export const donePage = (state: ChallengeState, back: string | undefined): string => {
  const { title } = WORDS[state.challenge.kind];
  return page(
    title,
    `<p role="status">${sentenceFor(state)}</p>
    ${summaryOf(state)}
    ${back === undefined ? '<p>You can close this page.</p>' : `<p><a href="${escaped(back)}">Back to the merchant</a></p>`}`,
  );
};

const WORDS = {
  card: {
    title: 'Confirm your payment',
    question: 'Your card issuer asks you to confirm this payment (3-D Secure).',
    yes: 'Complete',
    no: 'Fail',
  },
  bank: {
    title: 'Pay at your bank',
    question: 'A merchant asks for this payment from your account.',
    yes: 'Approve',
    no: 'Reject',
  },
} as const;

const sentenceFor = ({ operation }: ChallengeState): string => {
  if (operation.outcome === 'approved') return 'The payment is confirmed.';
  if (operation.outcome === 'declined') return 'The payment was not confirmed.';
  return 'The time for this payment is over.';
};

const summaryOf = ({ challenge, operation }: ChallengeState): string => {
  const { amountMinor, currency, cardLast4 } = operation;
  const amount = majorFromMinor({ amountMinor, currency: knownCurrency(currency) });
  const source = cardLast4 === null ? ['Bank', challenge.bank ?? 'Demo Bank'] : ['Card', `•••• ${cardLast4}`];
  const rows = [['Amount', `${currency} ${amount}`], ['Merchant', challenge.merchant], source];
  return `<dl>${rows.map(([name = '', value = '']) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`;
};

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>${title}</title>
  <style>
    body { font: 1rem/1.5 system-ui, sans-serif; max-width: 28rem; margin: 3rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
    dt { font-weight: 600; }
    dd { margin: 0; overflow-wrap: anywhere; }
    button { font: inherit; padding: 0.75rem 1.5rem; margin: 0 0.5rem 0.5rem 0; border: 2px solid #0b5d2a; border-radius: 0.5rem; background: #0b5d2a; color: #fff; cursor: pointer; }
    button.no { background: #fff; color: #8a1c1c; border-color: #8a1c1c; }
    button:focus-visible, a:focus-visible { outline: 3px solid #1a56db; outline-offset: 2px; }
    .note { color: #555; font-size: 0.875rem; }
  </style>
</head>
<body>
  <main>
    <h1>${title}</h1>
    ${body}
  </main>
</body>
</html>
`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
