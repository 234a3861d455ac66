import { Failure } from '../servers/failure.ts';
import { freePort, isPortFree, portHolder } from '../servers/ports.ts';
import { isAlive } from '../servers/process.ts';
import type { Service, ServiceName } from './services.ts';
import type { StackSettings } from './settings.ts';
import type { StackState } from './state.ts';

/** The port of each service; a Failure that names everything taken, before anything was started. */
export const portsFor = async (
  services: readonly Service[],
  settings: StackSettings,
  former: StackState,
): Promise<Readonly<Record<ServiceName, number>>> => {
  const ports: Record<ServiceName, number> = { ...settings.ports };
  const taken: string[] = [];
  for (const service of services) {
    const before = former.services[service.name];
    const heldByOurs = before !== undefined && isAlive(before) ? before.port : undefined;
    const wanted = settings.ports[service.name];
    if (wanted === 0) {
      ports[service.name] = heldByOurs ?? (await freePort(before?.port));
    } else {
      ports[service.name] = wanted;
      if (wanted !== heldByOurs && !(await isPortFree(wanted))) taken.push(sentenceFor(service, wanted));
    }
  }
  if (taken.length > 0) throw new Failure(taken.join('\n'));
  return ports;
};

const sentenceFor = (service: Service, port: number): string => {
  const holder = portHolder(port);
  return (
    `Port ${String(port)}, which ${service.name} needs, is taken${holder === undefined ? '' : ` by ${holder}`}. ` +
    `End that program, or choose another port: ${service.portVariable}=${String(port + 1000)} npm start`
  );
};
