/**
 * The first moment at which a card with this expiry is no longer good: the end of its month where on earth that comes last
 * (UTC−12), so that no payer is refused while his own calendar still shows the printed month.
 */
export const cardGoodUntil = (expMonth: number, expYear: number): Date => new Date(Date.UTC(expYear, expMonth, 1, 12));
