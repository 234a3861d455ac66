import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { run } from '../servers/run.ts';
import { REPOSITORY, type StackPaths } from '../stack/paths.ts';

const LINES_SHOWN = 30;
/** How long consumers may lag behind the last requests. */
const GRACE_SECONDS = '120';

/** `npm run audit` over the drill's stack, at its end: the invariants of the books, beside what clients were told. */
export const audit = async (
  { home }: StackPaths,
  journal: string,
): Promise<{ readonly text: string; readonly passed: boolean }> => {
  const script = join(REPOSITORY, 'tools', 'audit.mjs');
  if (!existsSync(script)) return { text: 'This checkout has no audit.', passed: true };
  const { status, output } = await run(
    process.execPath,
    [script, '--journal', journal, '--grace-seconds', GRACE_SECONDS],
    {
      directory: REPOSITORY,
      env: { ...process.env, PAYFLOW_HOME: home, NO_COLOR: '1' },
    },
  );
  const text = output.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
  return { text: `\`\`\`\n${text}\n\`\`\``, passed: status === 0 };
};
