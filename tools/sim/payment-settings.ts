/** The defaults of the service: 5 s, 30 s, 2 min, 10 min, 1 h, 6 h, 24 h (spec §2). */
export const SETTINGS = {
  ACQUIRER_TIMEOUT_MS: 10_000,
  ACTION_INQUIRY_SECONDS: 300,
  RECOVERY_DELAYS_SECONDS: [5, 30, 120, 600, 3_600, 21_600, 86_400],
};
