import { freePort } from '../servers/ports.ts';
import type { Links } from '../stack/links.ts';
import type { ServiceName, Surroundings } from '../stack/services.ts';
import type { Toxiproxy } from './toxiproxy.ts';

/** The calls between services that go through a proxy of their own: who calls whom. */
const CALLS: Partial<Record<ServiceName, readonly ServiceName[]>> = {
  gateway: ['payment', 'wallet'],
  payment: ['tokenization', 'ledger', 'acquirer-sim'],
  tokenization: ['acquirer-sim'],
  wallet: ['ledger'],
};

export const KAFKA_LINK = 'services-kafka';
export const linkOf = (from: ServiceName, to: ServiceName | 'postgres'): string => `${from}-${to}`;

/** Every link that can be made to fail: between a service and its database, between services, and to the broker. */
export const LINKS: readonly string[] = [
  KAFKA_LINK,
  ...Object.entries(CALLS).flatMap(([from, callees]) => callees.map((to) => linkOf(from as ServiceName, to))),
  ...(['payment', 'ledger', 'tokenization', 'wallet'] as const).map((name) => linkOf(name, 'postgres')),
];

/** Addresses for a stack whose processes reach each other through proxies. */
export const proxiedLinks = async (proxies: Toxiproxy): Promise<Links> => {
  const door = await freePort();
  const advertisedPort = await proxies.createProxy(KAFKA_LINK, door);
  return {
    kafka: { port: door, advertisedPort },
    surroundingsOf: async ({ name }, surroundings) => {
      const urls = { ...surroundings.urls };
      for (const callee of CALLS[name] ?? []) {
        const port = await proxies.createProxy(linkOf(name, callee), Number(new URL(urls[callee]).port));
        urls[callee] = `http://127.0.0.1:${port}`;
      }
      return { ...surroundings, urls, kafkaBrokers: `127.0.0.1:${advertisedPort}` } satisfies Surroundings;
    },
    databaseOf: async ({ name }, database) => {
      const link = linkOf(name, 'postgres');
      if (!LINKS.includes(link)) return database;
      const url = new URL(database.runtimeUrl);
      url.port = String(await proxies.createProxy(link, Number(url.port)));
      return { ...database, runtimeUrl: url.toString() };
    },
  };
};
