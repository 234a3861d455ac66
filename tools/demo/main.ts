import { Command } from 'commander';

import { stackPaths } from '../stack/paths.ts';
import { startDetached } from '../stack/detach.ts';
import { stopStack } from '../stack/stop.ts';
import { supervisorOf } from '../stack/supervisor-lock.ts';
import { narrator } from './narrator.ts';
import { Platform, readDemoFile } from './platform.ts';
import { SCENARIOS } from './scenarios.ts';

/** `npm run demo`: the scenarios one after the other, on the platform that runs, or on one that is started for it. */
export const main = async (args: readonly string[]): Promise<void> => {
  new Command('npm run demo')
    .description(
      'Card payments and wallets as merchants, operators and customers see them, step by step. Ends with an error when one shows something else.',
    )
    .addHelpText('after', '\nExamples:\n  npm run demo\n')
    .parse([...args], { from: 'user' });
  const paths = stackPaths(process.env);
  const ran = supervisorOf(paths) !== undefined;
  if (!ran) {
    await startDetached(paths, process.env, (line) => {
      console.log(line);
    });
  }
  try {
    const platform = new Platform(readDemoFile(paths.home));
    await platform.signIn();
    for (const scenario of SCENARIOS) await scenario(platform);
    narrator.end(SCENARIOS.length);
  } finally {
    if (!ran) await stopStack(paths);
  }
};
