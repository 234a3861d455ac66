import { endTestServers } from './servers.ts';

/** Ends the servers that global-setup.mjs started for this run; those it found stay. */
export default async function tearDown() {
  const directory = globalThis.payflowTestServersDirectory;
  if (directory !== undefined) await endTestServers(directory);
}
