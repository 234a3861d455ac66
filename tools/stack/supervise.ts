import { Failure } from '../servers/failure.ts';
import type { ProcessRecord } from '../servers/process.ts';
import type { StackPaths } from './paths.ts';
import type { Progress } from './progress.ts';
import type { StackSettings } from './settings.ts';
import { Stack } from './stack.ts';
import { becomeSupervisor, resignAsSupervisor } from './supervisor-lock.ts';

/** Another supervisor was quicker, or was there before. */
export class AlreadyRunning extends Failure {
  readonly holder: ProcessRecord;

  constructor(holder: ProcessRecord) {
    super(
      `PayFlow already runs (process ${String(holder.pid)}). \`npm run status\` shows it, \`npm stop\` ends it; ` +
        'for a second one, set PAYFLOW_HOME and other ports.',
    );
    this.holder = holder;
  }
}

/** Brings everything up, calls `onReady`, and watches over it until a signal asks for the end. */
export const supervise = async (
  paths: StackPaths,
  settings: StackSettings,
  progress: Progress,
  onReady: () => void,
): Promise<void> => {
  const holder = becomeSupervisor(paths);
  if (holder !== undefined) throw new AlreadyRunning(holder);
  const stack = new Stack(paths, settings, progress);
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals === 1) {
      progress.note('Stopping (Ctrl-C again: everything ends at once)');
      stack.requestStop();
      return;
    }
    stack.killAll();
    resignAsSupervisor(paths);
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  try {
    if ((await stack.bringUp()) === 'stopped') return;
    onReady();
    await stack.superviseUntilStopped();
    await stack.bringDown();
  } finally {
    resignAsSupervisor(paths);
  }
};
