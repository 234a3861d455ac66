import { lookup as lookUpName, type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';

import { Injectable } from '@nestjs/common';
import { InjectConfig } from '@payflow/service';

import type { NotificationConfig } from '../notification.config.js';
import { isLoopbackAddress, isPublicAddress } from './public-addresses.js';

const HTTPS_PORT = 443;
/** Below are the ports of mail, shells and other services that nobody receives webhooks at. */
const UNPRIVILEGED_PORT_MIN = 1_024;
const LOOKUP_TIMEOUT_MS = 2_000;

/** A name led to an address that webhooks do not go to, or to none. Thrown before anything is connected. */
export class AddressForbiddenError extends Error {
  override readonly name = 'AddressForbiddenError';
}

type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

/**
 * Where webhooks may go. A URL is looked at when it is given, and its name's addresses again at each connection: the one that
 * is connected to is the one that was looked at, so that a name cannot lead elsewhere in between.
 */
@Injectable()
export class ReceiverAddresses {
  private readonly demo: boolean;

  constructor(@InjectConfig() config: Pick<NotificationConfig, 'DEMO_MODE'>) {
    this.demo = config.DEMO_MODE;
  }

  /**
   * What is wrong with a URL, in a sentence; undefined when webhooks may go there. A name that cannot be resolved now may be
   * later: it is looked at then.
   */
  async refusalOf(text: string, lookUp: Lookup = lookUpAll): Promise<string | undefined> {
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
    lookUpName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => this.allows(address))) {
        callback(new AddressForbiddenError(`${hostname} does not lead to a public address`), '');
        return;
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

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

const lookUpAll: Lookup = async (host) => await lookup(host, { all: true });

/** Of `[::1]` the address. The parser has already made `127.1` and `0x7f000001` what they mean. */
export const hostOf = ({ hostname }: Pick<URL, 'hostname'>): string => hostname.replace(/^\[(.*)\]$/, '$1');

const isUsualPort = (port: string): boolean =>
  port === '' || Number(port) === HTTPS_PORT || Number(port) >= UNPRIVILEGED_PORT_MIN;

/** Names that no public resolver knows (RFC 6761, RFC 6762, RFC 8375 and ICANN's `.internal`), or only one inside a network. */
const isLocalName = (hostname: string): boolean => {
  const name = hostname.replace(/\.$/, '');
  if (isIP(hostOf({ hostname })) !== 0) return false;
  return !name.includes('.') || /\.(localhost|local|internal|home\.arpa)$/.test(name);
};
