/** Of a hold: its step under way, or its expiry. */
export const HOLD_TIMER = 'hold';
