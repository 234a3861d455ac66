import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Failure } from './failure.ts';
import { requireFreeSpace } from './files.ts';
import { run } from './run.ts';

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
/** By its full name: by its prefix, an unreachable repository is reported as an unknown plugin. */
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const FREE_SPACE_MB = 200;
const JAVA_VERSION_MIN = 17;
const ADVICE =
  `Install Java ${String(JAVA_VERSION_MIN)} or newer and Maven (Debian: apt-get install default-jre-headless maven; ` +
  'macOS: brew install openjdk maven), or set KAFKA_BROKERS to the address of a Kafka of your own.';

/**
 * The directory with Kafka's jars, fetched from Maven Central when this pom.xml has not been fetched before.
 *
 * @param cache where jars of each version of the pom are kept
 */
export const kafkaJars = async (cache: string, report: (line: string) => void): Promise<string> => {
  const jars = jarDirectory(cache);
  if (existsSync(jars)) return jars;
  mkdirSync(cache, { recursive: true });
  requireFreeSpace(cache, FREE_SPACE_MB, 'Apache Kafka');
  report('Fetching Apache Kafka from Maven Central (about 45 MB, once)');
  const draft = `${jars}.${String(process.pid)}.tmp`;
  rmSync(draft, { recursive: true, force: true });
  await fetchInto(draft);
  // Two that fetch at once both succeed; whoever is second finds the directory there and throws his copy away.
  if (existsSync(jars)) rmSync(draft, { recursive: true, force: true });
  else renameSync(draft, jars);
  return jars;
};

const jarDirectory = (cache: string): string =>
  join(cache, createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12));

const fetchInto = async (directory: string): Promise<void> => {
  const { status, output, startError } = await run(
    'mvn',
    ['--batch-mode', '--quiet', '--file', POM, COPY_DEPENDENCIES, `-DoutputDirectory=${directory}`],
    { directory: dirname(POM) },
  );
  if (startError?.code === 'ENOENT') throw mavenMissing();
  const complete = existsSync(directory) && readdirSync(directory).some((name) => name.startsWith('kafka_'));
  if (status === 0 && complete) return;
  rmSync(directory, { recursive: true, force: true });
  throw mavenFailure(output);
};

const mavenFailure = (output: string): Failure => {
  if (/No space left on device/.test(output)) {
    return new Failure('The disk is full: Maven could not store Apache Kafka. Make room and start again.');
  }
  if (/JAVA_HOME|Unable to locate a Java Runtime/.test(output)) {
    return new Failure(`Maven found no Java. ${ADVICE}`);
  }
  if (
    /UnknownHost|Unknown host|Connection refused|Network is unreachable|timed out|Could not transfer artifact/i.test(
      output,
    )
  ) {
    return new Failure(
      'Maven cannot reach Maven Central to fetch Apache Kafka. Check the network; behind a proxy, name it in ' +
        `~/.m2/settings.xml; or set KAFKA_BROKERS to the address of a Kafka of your own.\n${firstErrors(output)}`,
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

/** Whether the jars are here, or Maven, which fetches them: asked before anything slow begins. */
export const requireKafkaJarsOrMaven = async (cache: string): Promise<void> => {
  if (existsSync(jarDirectory(cache))) return;
  const { startError } = await run('mvn', ['--version'], { directory: dirname(POM) });
  if (startError?.code === 'ENOENT') throw mavenMissing();
};

const mavenMissing = (): Failure => new Failure(`Maven (mvn) is not installed; it fetches Apache Kafka. ${ADVICE}`);

/** The `java` to run Kafka with, known to be new enough. */
export const javaProgram = async (): Promise<string> => {
  const home = process.env['JAVA_HOME'];
  const java = home !== undefined && existsSync(join(home, 'bin', 'java')) ? join(home, 'bin', 'java') : 'java';
  const { status, output } = await run(java, ['-version'], { directory: dirname(POM) });
  if (status !== 0) throw new Failure(`Java is not installed; Apache Kafka needs it. ${ADVICE}`);
  const version = javaMajorVersion(output);
  if (version !== undefined && version < JAVA_VERSION_MIN) {
    throw new Failure(`Java ${String(version)} (${java}) is too old for Apache Kafka. ${ADVICE}`);
  }
  return java;
};

/** `openjdk version "17.0.15"` is 17, `java version "1.8.0_402"` is 8. */
export const javaMajorVersion = (output: string): number | undefined => {
  const found = /version "(?:1\.)?(\d+)/.exec(output)?.[1];
  return found === undefined ? undefined : Number(found);
};
