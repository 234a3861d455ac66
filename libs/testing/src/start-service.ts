import { createServiceApp, type ServiceOptions } from '@payflow/service';

type App = Awaited<ReturnType<typeof createServiceApp>>;

export interface RunningService {
  /** http://127.0.0.1:port */
  readonly url: string;
  /** For `app.get(…)`, where a test must look inside. */
  readonly app: App;
  /** Stops it as SIGTERM would, without the waiting for probes. */
  stop(): Promise<void>;
}

/** What every service must have and no test cares about. */
const DEFAULTS = {
  NODE_ENV: 'test',
  LOG_LEVEL: process.env['PAYFLOW_TEST_LOG_LEVEL'] ?? 'silent',
  SERVICE_CLIENT_SECRET: 'secret-of-a-service-under-test',
  SHUTDOWN_UNREADY_MS: '0',
} as const;

/**
 * A service in this process, listening on a free port, as its `main.ts` would start it. `PAYFLOW_TEST_LOG_LEVEL=debug`
 * shows its log.
 *
 * @param environment its settings; those of the process are not seen
 */
export const startService = async (
  options: Omit<ServiceOptions, 'environment'>,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningService> => {
  const app = await createServiceApp({ ...options, environment: { ...DEFAULTS, ...environment } });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    url: await app.getUrl(),
    app,
    stop: async () => {
      await app.close();
    },
  };
};
