/**
 * Packs a batch's lines, which are in the order of their payments, into as few events as hold them: a payment's lines are
 * never torn apart, so that whoever reads one event knows all that the batch has of its payments.
 *
 * @param linesMax of one event; no payment has more in a batch (see listUnsettledLines)
 */
export const packLines = <Line extends { readonly paymentId: string }>(
  lines: readonly Line[],
  linesMax: number,
): readonly (readonly Line[])[] => {
  const events: Line[][] = [];
  let event: Line[] = [];
  for (const payment of linesByPayment(lines)) {
    if (event.length + payment.length > linesMax) {
      events.push(event);
      event = [];
    }
    event.push(...payment);
  }
  if (event.length > 0) events.push(event);
  return events;
};

/** Lines that are in the order of their payments, payment by payment. */
export const linesByPayment = <Line extends { readonly paymentId: string }>(
  lines: readonly Line[],
): readonly Line[][] => {
  const payments: Line[][] = [];
  for (const line of lines) {
    const last = payments.at(-1);
    if (last?.[0]?.paymentId === line.paymentId) last.push(line);
    else payments.push([line]);
  }
  return payments;
};
