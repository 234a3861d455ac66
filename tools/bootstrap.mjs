// Stage 0: plain JavaScript without dependencies, for any Node from 20.19 on. It gets the Node and the packages that the
// rest needs, and hands over. Everything after it may assume Node 24 and an installed lockfile.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const TOOLCHAIN = join(REPOSITORY, '.payflow', 'node');

const NODE_MAJOR = 24;
/** The first Node 24 under which Jest runs ES modules. */
const NODE_MINOR_MIN = 9;

/** Something the person at the keyboard can put right: shown without a stack. */
class Failure extends Error {
  name = 'Failure';
}

/**
 * Runs `main(args)` of a TypeScript module under Node 24 with all packages installed.
 *
 * @param {string} script this very script, to run again under Node 24
 * @param {string} module path below tools/ of the module whose `main` is wanted
 * @param {readonly string[]} [args]
 * @param {{ install?: boolean }} [options] whether the command makes sense before anything is installed
 */
export const bootstrap = async (script, module, args = process.argv.slice(2), { install = true } = {}) => {
  // Output into `head` or a closed terminal must not end a supervisor half way.
  process.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    if (!install && !packagesAreInstalled()) {
      process.stdout.write('PayFlow is not running: it has not been installed yet. `npm start` does both.\n');
      return;
    }
    if (!isRightNode(process.versions.node)) {
      await runAgain(ensureNode(), fileURLToPath(script), process.argv.slice(2));
      return;
    }
    putFirstOnPath(dirname(process.execPath));
    ensurePackages();
    const { main } = await import(pathToFileURL(join(REPOSITORY, 'tools', module)).href);
    await main(args);
  } catch (error) {
    if (error?.name !== 'Failure') throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
};

export const isRightNode = (version) => {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_MAJOR || (major === NODE_MAJOR && minor >= NODE_MINOR_MIN);
};

// Node

/** npm has Node's own binaries as packages, one for each platform. Taken directly, they need no install script. */
const nodePackage = () => {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return `${prefix}-${platform}-${process.arch}`;
};

const ensureNode = () => {
  const program = join(TOOLCHAIN, 'node_modules', nodePackage(), 'bin', 'node');
  if (existsSync(program)) return program;
  const draft = `${TOOLCHAIN}.${process.pid}.tmp`;
  step(
    `Installing Node ${NODE_MAJOR} from npm into .payflow/node (about 120 MB, once; this is Node ${process.versions.node})`,
    () => {
      mkdirSync(draft, { recursive: true });
      // A manifest of its own, or npm would take the repository's for the one it installs into.
      writeFileSync(join(draft, 'package.json'), '{ "private": true }\n');
      try {
        npm(['install', '--no-save', '--no-package-lock', '--ignore-scripts', `${nodePackage()}@${NODE_MAJOR}`], draft);
        rmSync(TOOLCHAIN, { recursive: true, force: true });
        renameSync(draft, TOOLCHAIN);
      } finally {
        rmSync(draft, { recursive: true, force: true });
      }
    },
  );
  if (spawnSync(program, ['--version']).status === 0) return program;
  throw new Failure(
    `The Node ${NODE_MAJOR} from npm does not run on this machine. Install Node ${NODE_MAJOR} yourself (https://nodejs.org) and start again.`,
  );
};

/** The same script under another Node, with our terminal, our signals and its exit code. */
const runAgain = async (node, script, args) => {
  const child = spawn(node, [script, ...args], { stdio: 'inherit' });
  // A Ctrl-C reaches the child by itself, being in the foreground group; we must only outlive it to report its exit code.
  process.on('SIGINT', () => undefined);
  for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('exit', (...outcome) => resolve(outcome));
    child.once('error', reject);
  });
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
};

const putFirstOnPath = (directory) => {
  const rest = (process.env.PATH ?? '').split(delimiter).filter((entry) => entry !== directory);
  process.env.PATH = [directory, ...rest].join(delimiter);
};

// Packages

const ensurePackages = () => {
  if (packagesAreInstalled()) return;
  step('Installing the packages of package-lock.json (npm ci; about a minute with an empty cache)', () => {
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], REPOSITORY);
  });
};

/** Whether node_modules holds every package of the lockfile in its version: npm leaves a list of what it installed. */
const packagesAreInstalled = () => {
  const locked = packagesOf(join(REPOSITORY, 'package-lock.json'));
  const installed = packagesOf(join(REPOSITORY, 'node_modules', '.package-lock.json'));
  if (locked === undefined)
    throw new Failure(`package-lock.json is missing in ${REPOSITORY}; it is part of the repository.`);
  if (installed === undefined) return false;
  return Object.entries(locked)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.optional && !entry.devOptional && !entry.peer)
    .every(([path, entry]) => installed[path] !== undefined && installed[path].version === entry.version);
};

const packagesOf = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
};

// npm

const npm = (args, directory) => {
  // Under `npm start`, npm tells where its own program is; run by our Node, npm resolves for that Node.
  const program = process.env.npm_execpath;
  const [command, leading] = program?.endsWith('.js') ? [process.execPath, [program]] : ['npm', []];
  const result = spawnSync(command, [...leading, ...args], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentForNpm(),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error?.code === 'ENOENT')
    throw new Failure('npm is not installed. It comes with Node: https://nodejs.org');
  if (result.status !== 0) throw npmFailure(`npm ${args[0]}`, `${result.stdout ?? ''}${result.stderr ?? ''}`);
};

/** The settings that an outer npm hands to its scripts as variables would make the inner one take this run's options for its own. */
const environmentForNpm = () => {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(config_(prefix|local_prefix|workspace|workspaces|global|include|omit)|package_|lifecycle_)/i.test(name),
  );
  return { ...Object.fromEntries(inherited), npm_config_yes: 'true', npm_config_update_notifier: 'false' };
};

const npmFailure = (what, output) => {
  const lines = output
    .split('\n')
    .filter((line) => /npm (error|ERR!) (?! *at )/.test(line))
    .slice(0, 8)
    .join('\n');
  if (/ENOSPC/.test(output))
    return new Failure(`The disk is full: ${what} could not finish. Make room and start again.`);
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|network/i.test(output)) {
    return new Failure(
      `${what} cannot reach the npm registry. Check the network; behind a proxy, set it with \`npm config set proxy\`.\n${lines}`,
    );
  }
  return new Failure(`${what} failed:\n${lines || output.trim()}`);
};

const step = (title, work) => {
  process.stdout.write(`• ${title}\n`);
  const start = Date.now();
  work();
  process.stdout.write(`  done in ${((Date.now() - start) / 1000).toFixed(0)} s\n`);
};
