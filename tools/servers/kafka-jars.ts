import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure } from './failure.ts';
import { requireFreeSpace } from './files.ts';

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
const FREE_SPACE_MB = 200;
const JAVA_VERSION_MIN = 17;
const OWN_KAFKA = 'or set KAFKA_BROKERS to the address of a Kafka of your own';

/**
 * The directory with Kafka's jars, fetched from Maven Central when this pom.xml has not been fetched before.
 *
 * @param cache where jars of each version of the pom are kept
 */
export const kafkaJars = (cache: string, report: (line: string) => void): string => {
  const version = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  const jars = join(cache, version);
  if (existsSync(jars)) return jars;
  mkdirSync(cache, { recursive: true });
  requireFreeSpace(cache, FREE_SPACE_MB, 'Apache Kafka');
  report('Fetching Apache Kafka from Maven Central (about 45 MB, once)');
  const draft = `${jars}.${String(process.pid)}.tmp`;
  rmSync(draft, { recursive: true, force: true });
  fetchInto(draft);
  // Two that fetch at once both succeed; whoever is second finds the directory there and throws his copy away.
  if (existsSync(jars)) rmSync(draft, { recursive: true, force: true });
  else renameSync(draft, jars);
  return jars;
};

const fetchInto = (directory: string): void => {
  const result = spawnSync(
    'mvn',
    ['--batch-mode', '--quiet', '--file', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${directory}`],
    { encoding: 'utf8', cwd: dirname(POM), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  if (result.error !== undefined && 'code' in result.error && result.error.code === 'ENOENT') {
    throw new Failure(
      'Maven (mvn) is not installed; it fetches Apache Kafka. Install it (Debian: apt-get install maven; macOS: brew install maven), ' +
        `${OWN_KAFKA}.`,
    );
  }
  if (result.status === 0 && existsSync(directory) && readdirSync(directory).some((name) => name.startsWith('kafka_')))
    return;
  rmSync(directory, { recursive: true, force: true });
  throw mavenFailure(`${result.stdout}${result.stderr}`);
};

const mavenFailure = (output: string): Failure => {
  if (/No space left on device/.test(output)) {
    return new Failure('The disk is full: Maven could not store Apache Kafka. Make room and start again.');
  }
  if (/JAVA_HOME|Unable to locate a Java Runtime/.test(output)) {
    return new Failure(`Maven found no Java. ${javaAdvice()}`);
  }
  if (/UnknownHost|Unknown host|Connection refused|Network is unreachable|timed out|Name or service/i.test(output)) {
    return new Failure(
      'Maven cannot reach Maven Central to fetch Apache Kafka. Check the network; behind a proxy, name it in ~/.m2/settings.xml; ' +
        `${OWN_KAFKA}.\n${firstErrors(output)}`,
    );
  }
  return new Failure(`Maven could not fetch Apache Kafka:\n${firstErrors(output)}`);
};

const firstErrors = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.includes('ERROR'))
    .slice(0, 3)
    .join('\n');

/** The `java` to run Kafka with, known to be new enough. */
export const javaProgram = (): string => {
  const home = process.env['JAVA_HOME'];
  const java = home !== undefined && existsSync(join(home, 'bin', 'java')) ? join(home, 'bin', 'java') : 'java';
  const result = spawnSync(java, ['-version'], { encoding: 'utf8' });
  if (result.status !== 0) throw new Failure(`Java is not installed; Apache Kafka needs it. ${javaAdvice()}`);
  const version = javaMajorVersion(result.stderr);
  if (version !== undefined && version < JAVA_VERSION_MIN) {
    throw new Failure(`Java ${String(version)} (${java}) is too old for Apache Kafka. ${javaAdvice()}`);
  }
  return java;
};

/** `openjdk version "17.0.15"` is 17, `java version "1.8.0_402"` is 8. */
export const javaMajorVersion = (output: string): number | undefined => {
  const found = /version "(?:1\.)?(\d+)/.exec(output)?.[1];
  return found === undefined ? undefined : Number(found);
};

const javaAdvice = (): string =>
  `Install Java ${String(JAVA_VERSION_MIN)} or newer (Debian: apt-get install default-jre-headless maven; macOS: brew install openjdk maven), ` +
  `${OWN_KAFKA}.`;
