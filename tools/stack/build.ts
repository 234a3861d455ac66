import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Failure } from '../servers/failure.ts';
import { run } from '../servers/run.ts';
import { REPOSITORY } from './paths.ts';
import { presentServices, type Service } from './services.ts';

/** Builds what changed. No daemon and no plugin workers: nothing may stay behind when we end. */
export const build = async (logs: string): Promise<void> => {
  const present = new Set<string>(presentServices().map((service) => service.name));
  const unfinished = readdirSync(join(REPOSITORY, 'apps')).filter((name) => !present.has(name));
  const { status, output } = await run(
    process.execPath,
    [
      join(REPOSITORY, 'node_modules', 'nx', 'dist', 'bin', 'nx.js'),
      'run-many',
      '--target=build',
      '--output-style=static',
      ...(unfinished.length === 0 ? [] : [`--exclude=${unfinished.map((name) => `@payflow/${name}`).join(',')}`]),
    ],
    {
      directory: REPOSITORY,
      env: { ...process.env, NX_DAEMON: 'false', NX_ISOLATE_PLUGINS: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' },
    },
  );
  mkdirSync(logs, { recursive: true });
  const log = join(logs, 'build.log');
  writeFileSync(log, output);
  if (status === 0) return;
  throw new Failure(
    `The build failed. Its output is in ${log}; it ends:\n${output.trim().split('\n').slice(-25).join('\n')}`,
  );
};

/** Of what the service runs: its own code and that of all libraries. By content, because Nx writes files anew from its cache. */
export const buildFingerprint = (service: Service): string => {
  const hash = createHash('sha256');
  const libraries = readdirSync(join(REPOSITORY, 'libs')).map((name) => join(REPOSITORY, 'libs', name, 'dist'));
  for (const directory of [join(REPOSITORY, 'apps', service.name, 'dist'), ...libraries].filter((path) =>
    existsSync(path),
  )) {
    for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!name.endsWith('.js')) continue;
      hash.update(`${directory}/${name}\n`).update(readFileSync(join(directory, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
};
