import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';

import { Injectable } from '@nestjs/common';
import { InjectConfig } from '@payflow/service';

import type { NotificationConfig } from '../notification.config.js';
import { isLoopbackAddress, isPublicAddress } from './public-addresses.js';

const HTTPS_PORT = 443;
/** Below are the ports of mail, shells and other services that nobody receives webhooks at. */
const UNPRIVILEGED_PORT_MIN = 1_024;
const LOOKUP_TIMEOUT_MS = 2_000;
/** Of a question to a name server, before it is asked for the second and last time. */
const ANSWER_TIMEOUT_MS = 2_000;
const ANSWER_TRIES_MAX = 2;
const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** A name led to an address that webhooks do not go to, or to none. Thrown before anything is connected. */
export class AddressForbiddenError extends Error {
  override readonly name = 'AddressForbiddenError';
}

/** No address is known of a name, or its name server does not answer. */
export class NameNotResolvedError extends Error {
  override readonly name = 'NameNotResolvedError';
}

type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

/**
 * Where webhooks may go. A URL is looked at when it is given, and its name's addresses again at each connection: the one that
 * is connected to is the one that was looked at, so that a name cannot lead elsewhere in between.
 *
 * Names are asked for over sockets of our own, and not by `dns.lookup`: getaddrinfo waits for a name server in one of the four
 * threads that the whole process has, so that four names whose servers are silent would let nobody else's be found.
 */
@Injectable()
export class ReceiverAddresses {
  /** Asks the name servers of this machine. */
  readonly resolver = new Resolver({ timeout: ANSWER_TIMEOUT_MS, tries: ANSWER_TRIES_MAX });
  private readonly demo: boolean;

  constructor(@InjectConfig() config: Pick<NotificationConfig, 'DEMO_MODE'>) {
    this.demo = config.DEMO_MODE;
  }

  /**
   * What is wrong with a URL, in a sentence; undefined when webhooks may go there. A name that cannot be resolved now may be
   * later: it is looked at then.
   */
  async refusalOf(text: string, lookUp: Lookup = this.resolve): Promise<string | undefined> {
    if (!URL.canParse(text)) return 'It is not a URL.';
    const url = new URL(text);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'Its scheme is not https.';
    if (url.username !== '' || url.password !== '') return 'It contains credentials.';
    if (url.hash !== '') return 'It has a fragment, which is never sent.';
    const addresses = await this.addressesOf(hostOf(url), lookUp);
    const atHome = this.demo && addresses.length > 0 && addresses.every(({ address }) => isLoopbackAddress(address));
    if (atHome) return undefined;
    if (url.protocol !== 'https:') return 'Its scheme is not https.';
    if (isLocalName(url.hostname)) return 'Its name is not a public one.';
    if (!isUsualPort(url.port)) return 'Its port is neither 443 nor above 1023.';
    return addresses.every(({ address }) => isPublicAddress(address)) ? undefined : 'Its address is not public.';
  }

  /** Whether a connection may go to this IP address. */
  allows(address: string): boolean {
    return isPublicAddress(address) || (this.demo && isLoopbackAddress(address));
  }

  /** For sockets: resolves a name, and fails when any of its addresses is forbidden. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.allowedAddresses(hostname).then(
      ([first, ...others]) => {
        if (options.all === true) callback(null, [first, ...others]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => {
        callback(error as Error, '');
      },
    );
  };

  private async allowedAddresses(name: string): Promise<readonly [LookupAddress, ...LookupAddress[]]> {
    const [first, ...others] = await this.resolve(name);
    if (first === undefined || ![first, ...others].every(({ address }) => this.allows(address)))
      throw new AddressForbiddenError(`${name} does not lead to a public address`);
    return [first, ...others];
  }

  /** `localhost` is asked of nobody (RFC 6761 §6.3); files of this machine that name addresses have no say. */
  private readonly resolve: Lookup = async (name) => {
    if (isLocalhost(name)) return LOOPBACK;
    const answers = await Promise.allSettled([this.resolver.resolve4(name), this.resolver.resolve6(name)]);
    const addresses = answers.flatMap((answer, index) =>
      answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })) : [],
    );
    if (addresses.length > 0) return addresses;
    const [cause] = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    throw new NameNotResolvedError(`no address of ${name} was found`, { cause });
  };

  /** Nobody waits for a name any more. */
  close(): void {
    this.resolver.cancel();
  }

  private async addressesOf(host: string, lookUp: Lookup): Promise<readonly LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly LookupAddress[]>((resolve) => {
      timer = setTimeout(resolve, LOOKUP_TIMEOUT_MS, []);
    });
    try {
      return await Promise.race([lookUp(host), late]);
    } catch {
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Of `[::1]` the address. The parser has already made `127.1` and `0x7f000001` what they mean. */
export const hostOf = ({ hostname }: Pick<URL, 'hostname'>): string => hostname.replace(/^\[(.*)\]$/, '$1');

const isUsualPort = (port: string): boolean =>
  port === '' || Number(port) === HTTPS_PORT || Number(port) >= UNPRIVILEGED_PORT_MIN;

const isLocalhost = (name: string): boolean => /(^|\.)localhost\.?$/i.test(name);

/** Names that no public resolver knows (RFC 6761, RFC 6762, RFC 8375 and ICANN's `.internal`), or only one inside a network. */
const isLocalName = (hostname: string): boolean => {
  const name = hostname.replace(/\.$/, '');
  if (isIP(hostOf({ hostname })) !== 0) return false;
  return !name.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(name);
};
