const TIMEOUT_MS = 2_000;

export type HealthState = 'ready' | 'not ready' | 'no answer';

/** What /health/ready says. */
export const healthOf = async (baseUrl: string): Promise<HealthState> => {
  try {
    const response = await fetch(`${baseUrl}/health/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok ? 'ready' : 'not ready';
  } catch {
    return 'no answer';
  }
};
